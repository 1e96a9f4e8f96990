// A model is written by owners, and its key says nothing of one.
use debros::prelude::*;

#[model(scope = global, writers = owner)]
pub struct Tag {
    #[field(key)]
    pub name: String,
}

fn main() {}
