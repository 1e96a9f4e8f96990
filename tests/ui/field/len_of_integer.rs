// A length of an integer.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(len = 1..=5)]
    pub stars: u8,
}

fn main() {}
