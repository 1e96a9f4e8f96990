// A default is written as in a later Rust.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub pinned: bool = false,
}

fn main() {}
