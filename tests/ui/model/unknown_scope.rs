// The scope is misspelt.
use debros::prelude::*;

#[model(scope = globl, writers = anyone)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
