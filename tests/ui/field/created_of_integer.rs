// The time of creation is to be an integer.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(created)]
    pub at: i64,
}

fn main() {}
