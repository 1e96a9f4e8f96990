// The type of a field names a relation that is not there.
#[path = "../blog.rs"]
mod blog;
use blog::*;
use debros::prelude::*;

pub struct Feed {
    pub cards: Vec<Loaded![Post { author, tag }]>,
}

fn main() {}
