// Rows are updated by no user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(db: Db) {
    let _ = Tag::query().update_all(&db).set(|t| t.name, "x").await;
}

fn main() {
    let _ = program;
}
