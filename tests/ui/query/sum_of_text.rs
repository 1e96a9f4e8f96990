// Texts are summed up.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().sum(|p| p.title, &me).await;
}

fn main() {
    let _ = program;
}
