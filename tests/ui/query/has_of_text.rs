// A text is asked for an element.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.title.has("a")).fetch(&me).await;
}

fn main() {
    let _ = program;
}
