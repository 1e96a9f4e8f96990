// A field stored through serde is indexed.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(serde, index)]
    pub place: (f64, f64),
}

fn main() {}
