// A field is misspelt.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.titel.eq("Hi")).fetch(&me).await;
}

fn main() {
    let _ = program;
}
