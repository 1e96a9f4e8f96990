// A field that is always there is asked whether it is absent.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.title.is_none()).fetch(&me).await;
}

fn main() {
    let _ = program;
}
