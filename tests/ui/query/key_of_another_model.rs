// A post is asked for by the id of a user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, id: Id<User>) {
    let _ = Post::get(&id).fetch(&me).await;
}

fn main() {
    let _ = program;
}
