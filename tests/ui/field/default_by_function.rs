// The function that gives a default gives another type.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(default = today())]
    pub day: String,
}

fn today() -> i64 {
    20_000
}

fn main() {}
