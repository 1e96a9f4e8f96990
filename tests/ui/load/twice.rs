// A relation is named twice.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().with(|p| (p.author, p.tags, p.author)).fetch(&me).await;
}

fn main() {
    let _ = program;
}
