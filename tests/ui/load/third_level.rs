// The posts of the author of a comment are read, and nobody loaded them.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    for post in Post::query().with(|p| p.comments.with(|c| c.author)).fetch(&me).await.unwrap() {
        println!("{}", post.comments()[0].author().posts().len());
    }
}

fn main() {
    let _ = program;
}
