// A list is compared with another.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.words.gt(vec![])).fetch(&me).await;
}

fn main() {
    let _ = program;
}
