// A field is loaded as if it were a relation.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().with(|p| p.title).fetch(&me).await;
}

fn main() {
    let _ = program;
}
