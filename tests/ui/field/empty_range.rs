// A range that holds nothing, and one that is no range.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(len = 200..=1)]
    pub title: String,
    #[field(range = 5)]
    pub stars: u8,
}

fn main() {}
