// Defaults of the wrong type.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(default = 0)]
    pub published: bool,
    #[field(default = "none")]
    pub views: u32,
}

fn main() {}
