// A post is linked to its author, which is a key and no link.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post, user: User) {
    let _ = me.link(&post, |p| p.author, &user).await;
}

fn main() {
    let _ = program;
}
