// A page is cut from a query without an order.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let _ = Post::query().page(20).fetch(&me).await;
}

fn main() {
    let _ = program;
}
