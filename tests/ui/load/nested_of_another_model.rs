// A relation of posts is loaded with comments.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session) {
    let _ = Post::query().with(|p| p.comments.with(|_| Post::FIELDS.tags)).fetch(&me).await;
}

fn main() {}
