// A field that debros fills has a default.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(created, default = Timestamp::from_millis(0))]
    pub at: Timestamp,
}

fn main() {}
