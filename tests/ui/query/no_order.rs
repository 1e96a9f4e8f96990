// A list has no order.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().order_by(|p| p.words.asc()).fetch(&me).await;
}

fn main() {
    let _ = program;
}
