// The list leaves out a model that only one of several leads to.
use debros::prelude::*;

#[path = "../blog.rs"]
mod blog;
use blog::*;

fn main() {
    let _ = models![User, Post, Tag];
}
