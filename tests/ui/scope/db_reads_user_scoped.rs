// A user-scoped model is read by no user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(db: Db) {
    let _ = Post::query().fetch(&db).await;
}

fn main() {
    let _ = program;
}
