// The writers are misspelt.
use debros::prelude::*;

#[model(scope = global, writers = admin)]
pub struct Tag {
    #[field(key)]
    pub id: Id<Tag>,
}

fn main() {}
