// A user-scoped model says who may write it.
use debros::prelude::*;

#[model(writers = anyone)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
}

fn main() {}
