// A record is created through a view.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(theirs: View) {
    let _ = theirs.create(NewTag { name: "rust".into() }).await;
}

fn main() {
    let _ = program;
}
