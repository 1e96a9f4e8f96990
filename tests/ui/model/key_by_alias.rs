// The generated key is hidden behind an alias.
use debros::prelude::*;

pub type NoteId = Id<Note>;

#[model]
pub struct Note {
    #[field(key)]
    pub id: NoteId,
    pub text: String,
}

fn main() {}
