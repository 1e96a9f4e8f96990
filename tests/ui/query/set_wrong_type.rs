// A field is set to a value of another type.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post) {
    let _ = me.update(&post).set(|p| p.published, "yes").await;
}

fn main() {
    let _ = program;
}
