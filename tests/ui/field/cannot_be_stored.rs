// A field of a type that has no stored form.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub file: std::path::PathBuf,
}

fn main() {}
