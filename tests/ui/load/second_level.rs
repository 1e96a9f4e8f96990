// The author of a comment is read, and only comments were loaded.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    for post in Post::query().with(|p| p.comments).fetch(&me).await.unwrap() {
        println!("{}", post.comments()[0].author().username);
    }
}

fn main() {
    let _ = program;
}
