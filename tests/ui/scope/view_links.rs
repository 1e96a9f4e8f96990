// Rows are linked through a view.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(theirs: View, post: Post, tag: Tag) {
    let _ = theirs.link(&post, |p| p.tags, &tag).await;
}

fn main() {}
