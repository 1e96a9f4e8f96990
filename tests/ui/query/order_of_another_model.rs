// An order of users sorts posts.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().order_by(|_| User::FIELDS.username.asc()).fetch(&me).await;
}

fn main() {
    let _ = program;
}
