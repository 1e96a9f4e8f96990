// A required field is not given.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, user: User) {
    let _ = me.create(NewPost { user_id: user.id }).await;
}

fn main() {
    let _ = program;
}
