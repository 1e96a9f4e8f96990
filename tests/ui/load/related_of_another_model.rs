// The rows related to a post are asked for by a relation of users.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, post: Post) {
    let _ = post.related(|_| User::FIELDS.posts).fetch(&me).await;
}

fn main() {
    let _ = program;
}
