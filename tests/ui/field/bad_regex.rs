// A regular expression that does not parse.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(matches = "^[a-z+$")]
    pub slug: String,
}

fn main() {}
