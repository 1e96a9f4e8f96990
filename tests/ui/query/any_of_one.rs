// The one row of a relation is asked as if it were many.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().filter(|p| p.author.any(|u| u.username.eq("alice"))).fetch(&me).await;
}

fn main() {
    let _ = program;
}
