// An order does not say in which direction.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(me: Session) {
    let _ = Post::query().order_by(|p| p.title).fetch(&me).await;
}

fn main() {}
