// A field is filled in two ways.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(created, updated)]
    pub at: Timestamp,
}

fn main() {}
