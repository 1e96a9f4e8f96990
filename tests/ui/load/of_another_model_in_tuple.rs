// A relation of users is loaded with posts, among others.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().with(|p| (p.tags, User::FIELDS.posts)).fetch(&me).await;
}

fn main() {
    let _ = program;
}
