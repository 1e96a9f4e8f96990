// Rows are deleted through a view.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(theirs: View) {
    let _ = Post::query().delete_all(&theirs).await;
}

fn main() {
    let _ = program;
}
