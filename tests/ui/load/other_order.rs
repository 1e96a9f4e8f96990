// `Loaded!` names the relations in another order than the query.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

async fn program(me: Session) {
    let rows: Vec<Loaded![Post { author, tags }]> = Post::query().with(|p| (p.tags, p.author)).fetch(&me).await.unwrap();
    drop(rows);
}

fn main() {
    let _ = program;
}
