// How a user-scoped model would be read is asked by no user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub async fn program(db: Db) {
    let _ = Post::query().explain(&db).await;
}

fn main() {}
