// An option stands twice.
use debros::prelude::*;

#[model(name = "note", name = "notes")]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
