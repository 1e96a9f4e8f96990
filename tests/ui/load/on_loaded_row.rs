// A relation is read, and another one was loaded.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    for post in Post::query().with(|p| p.tags).fetch(&me).await.unwrap() {
        println!("{}", post.author().username);
    }
}

fn main() {
    let _ = program;
}
