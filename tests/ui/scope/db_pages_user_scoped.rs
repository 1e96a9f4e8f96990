// A page of a user-scoped model is read by no user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub async fn program(db: Db) {
    let _ = Post::query().order_by(|p| p.title.asc()).page(20).fetch(&db).await;
}

fn main() {}
