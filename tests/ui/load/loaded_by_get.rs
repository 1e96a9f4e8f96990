// A relation of the row of one key is read, and nothing loaded it.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

pub async fn program(me: Session, id: Id<Post>) {
    let post = Post::get(&id).fetch(&me).await.unwrap().unwrap();
    println!("{}", post.tags().len());
}

fn main() {}
