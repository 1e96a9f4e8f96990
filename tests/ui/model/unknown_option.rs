// An option that is like no other.
use debros::prelude::*;

#[model(compression = zstd)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
