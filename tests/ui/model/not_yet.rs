// Options that this version does not have.
use debros::prelude::*;

#[model(pinning(strategy = popularity, factor = 2), events(create, update), cache = 300, conflict = merge, encrypted, version = 2)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(encrypted)]
    pub secret: String,
}

fn main() {}
