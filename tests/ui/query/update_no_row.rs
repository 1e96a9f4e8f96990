// An update of something that is no row.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post) {
    let _ = me.update(&post.id).set(|p| p.published, true).await;
}

fn main() {
    let _ = program;
}
