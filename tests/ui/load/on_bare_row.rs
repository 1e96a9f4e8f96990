// A relation is read that nothing loaded.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    for post in Post::query().fetch(&me).await.unwrap() {
        println!("{}", post.author().username);
    }
}

fn main() {
    let _ = program;
}
