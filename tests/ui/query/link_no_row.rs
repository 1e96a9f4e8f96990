// A post is linked to an id.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session, post: Post, tag: Tag) {
    let _ = me.link(&post, |p| p.tags, &tag.id).await;
}

fn main() {}
