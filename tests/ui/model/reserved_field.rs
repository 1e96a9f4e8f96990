// A field has a name that debros uses in records.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub _v: u32,
}

fn main() {}
