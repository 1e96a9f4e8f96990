// The key is unique and indexed once more.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key, unique, index)]
    pub id: Id<Note>,
}

fn main() {}
