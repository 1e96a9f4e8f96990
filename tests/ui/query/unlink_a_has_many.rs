// A comment is unlinked from its post.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session, post: Post, comment: Comment) {
    let _ = me.unlink(&post, |p| p.comments, &comment).await;
}

fn main() {}
