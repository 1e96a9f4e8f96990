// A number is searched for a text.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.popularity.contains("1")).fetch(&me).await;
}

fn main() {
    let _ = program;
}
