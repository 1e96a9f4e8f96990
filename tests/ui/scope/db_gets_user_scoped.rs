// A row of a user-scoped model is asked for by no user.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(db: Db, id: Id<Post>) {
    let _ = Post::get(&id).fetch(&db).await;
}

fn main() {
    let _ = program;
}
