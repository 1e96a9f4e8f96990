// The owner is to be a text.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(owner)]
    pub owner: String,
}

fn main() {}
