// A word that takes no value has one, and one that needs a value has none.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key = true)]
    pub id: Id<Note>,
    #[field(len)]
    pub text: String,
}

fn main() {}
