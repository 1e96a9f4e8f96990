// A regular expression for an integer.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(matches = "^[0-9]+$")]
    pub number: u32,
}

fn main() {}
