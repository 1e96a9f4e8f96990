// The many rows of a relation are asked as if they were one.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.tags.is(|t| t.name.eq("rust"))).fetch(&me).await;
}

fn main() {
    let _ = program;
}
