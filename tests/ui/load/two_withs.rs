// A query has two `.with`.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().with(|p| p.tags).with(|p| p.author).fetch(&me).await;
}

fn main() {
    let _ = program;
}
