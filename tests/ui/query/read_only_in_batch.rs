// A batch sets the owner of a record.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub async fn program(me: Session, post: Post) {
    let owner = post.owner;
    let _ = me.batch().update(&post, |p| p.set(|p| p.owner, owner)).await;
}

fn main() {}
