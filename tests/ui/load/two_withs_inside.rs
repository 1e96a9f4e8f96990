// A relation has two `.with`.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().with(|p| p.comments.with(|c| c.author).with(|c| c.post)).fetch(&me).await;
}

fn main() {
    let _ = program;
}
