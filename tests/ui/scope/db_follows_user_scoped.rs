// The changes of a user-scoped model are followed by no user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

fn program(db: &Db) {
    let _ = Post::changes().filter(|p| p.published.eq(true)).stream(db);
}

fn main() {
    let _ = program;
}
