// A list is unique.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(unique)]
    pub tags: Vec<String>,
}

fn main() {}
