// A row is updated through a view.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(theirs: View, post: Post) {
    let _ = theirs.update(&post).set(|p| p.title, "Hi").await;
}

fn main() {}
