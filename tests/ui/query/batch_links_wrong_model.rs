// In a batch a post is linked to a user as if it were a tag.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session, post: Post, user: User) {
    let _ = me.batch().link(&post, |p| p.tags, &user).await;
}

fn main() {}
