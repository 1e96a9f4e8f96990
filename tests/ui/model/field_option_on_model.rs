// An option of a field stands on the model.
use debros::prelude::*;

#[model(len = 1..=200)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
