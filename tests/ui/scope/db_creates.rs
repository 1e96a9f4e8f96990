// A record is created by no user.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(db: Db) {
    let _ = db.create(NewTag { name: "rust".into() }).set(|t| t.name, "Rust").await;
}

fn main() {}
