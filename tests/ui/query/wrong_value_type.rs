// A text field is compared with a number.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.title.eq(5)).fetch(&me).await;
}

fn main() {
    let _ = program;
}
