// A predicate of users, made on the spot, filters posts.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session) {
    let _ = Post::query().filter(|_| User::FIELDS.username.eq("alice")).fetch(&me).await;
}

fn main() {}
