// The owner is set when a record is created.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session, user: User, owner: UserId) {
    let _ = me.create(NewPost { user_id: user.id, title: "Hi".into() }).set(|p| p.owner, owner).await;
}

fn main() {
    let _ = program;
}
