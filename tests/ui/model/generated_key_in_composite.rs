// A generated key is a part of a composite key.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(key)]
    pub title: String,
}

fn main() {}
