// A post is linked by a relation of tags.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session, post: Post) {
    let _ = me.link(&post, |_| Tag::FIELDS.posts, &post).await;
}

fn main() {}
