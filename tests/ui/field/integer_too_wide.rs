// An integer of more than 64 bits.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub views: Option<u128>,
    pub words: usize,
}

fn main() {}
