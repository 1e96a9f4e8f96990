// A relation of users is loaded with posts.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().with(|_| User::FIELDS.posts).fetch(&me).await;
}

fn main() {
    let _ = program;
}
