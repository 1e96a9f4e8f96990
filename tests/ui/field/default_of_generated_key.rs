// A generated key has a default.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key, default = Id::from_uuid(Default::default()))]
    pub id: Id<Note>,
}

fn main() {}
