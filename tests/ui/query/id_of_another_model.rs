// The id of a user is compared with that of a post.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, id: Id<Post>) {
    let _ = Post::query().filter(|p| p.user_id.eq(id)).fetch(&me).await;
}

fn main() {
    let _ = program;
}
