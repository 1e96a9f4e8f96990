// A post is linked to its author, who is named by a field.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session, post: Post, user: User) {
    let _ = me.link(&post, |p| p.author, &user).await;
}

fn main() {}
