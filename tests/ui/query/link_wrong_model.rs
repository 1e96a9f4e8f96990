// A post is linked to a user as if it were a tag.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post, user: User) {
    let _ = me.link(&post, |p| p.tags, &user).await;
}

fn main() {
    let _ = program;
}
