// A predicate of users filters posts.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().matching(User::FIELDS.username.eq("alice")).fetch(&me).await;
}

fn main() {
    let _ = program;
}
