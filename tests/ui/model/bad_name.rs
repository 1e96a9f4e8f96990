// A stored name with a space.
use debros::prelude::*;

#[model(name = "my notes")]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
