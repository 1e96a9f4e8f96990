// Two fields are generated keys.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(key)]
    pub other: Id<Note>,
    pub text: String,
}

fn main() {}
