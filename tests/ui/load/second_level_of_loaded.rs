// The author of a comment is read, and its post was loaded.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session) {
    for post in Post::query().with(|p| p.comments.with(|c| c.post)).fetch(&me).await.unwrap() {
        println!("{}", post.comments()[0].author().username);
    }
}

fn main() {}
