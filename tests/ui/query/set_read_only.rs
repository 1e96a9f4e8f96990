// A key, a time of creation and an owner are set by an update.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post) {
    let _ = me.update(&post).set(|p| p.id, post.id).await;
    let _ = me.update(&post).set(|p| p.created_at, post.created_at).await;
    let _ = me.update(&post).set(|p| p.owner, post.owner).await;
}

fn main() {
    let _ = program;
}
