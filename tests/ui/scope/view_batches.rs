// A batch is begun through a view.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub async fn program(theirs: View, tag: Tag) {
    let _ = theirs.batch().delete(&tag).await;
}

fn main() {}
