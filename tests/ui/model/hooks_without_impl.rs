// The model says that it has hooks, and has none.
use debros::prelude::*;

#[model(hooks)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
