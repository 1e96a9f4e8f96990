// A row is deleted by no user.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(db: Db, tag: Tag) {
    let _ = db.delete(&tag).await;
}

fn main() {}
