// A range of texts.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(range = 1..=200)]
    pub title: String,
}

fn main() {}
