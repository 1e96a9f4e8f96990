// A field that every write fills has a default.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub slug: String,
    #[field(updated, default = Timestamp::now())]
    pub at: Timestamp,
}

fn main() {}
