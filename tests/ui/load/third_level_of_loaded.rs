// The tags of the post of a comment are read, and its author was loaded.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session) {
    for post in Post::query().with(|p| p.comments.with(|c| c.post.with(|p| p.author))).fetch(&me).await.unwrap() {
        println!("{}", post.comments()[0].post().tags().len());
    }
}

fn main() {}
