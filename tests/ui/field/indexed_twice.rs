// A field is indexed twice.
use debros::prelude::*;

#[model(index(title))]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(unique)]
    pub title: String,
}

fn main() {}
