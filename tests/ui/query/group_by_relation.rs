// Rows are grouped by a relation.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub async fn program(me: Session) {
    let _ = Post::query().group_by(|p| p.author).select(|g| g.count()).fetch(&me).await;
}

fn main() {}
