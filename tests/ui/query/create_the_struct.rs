// A record is created from the struct, and not from its `New..`.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post) {
    let _ = me.create(post).await;
}

fn main() {
    let _ = program;
}
