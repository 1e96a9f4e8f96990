// The model has no key.
use debros::prelude::*;

#[model]
pub struct Note {
    pub id: Id<Note>,
    pub text: String,
}

fn main() {}
