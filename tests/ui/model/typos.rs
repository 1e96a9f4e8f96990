// Four words are misspelt, in four places.
use debros::prelude::*;

#[model(scop = user, store = docments)]
pub struct Note {
    #[field(kee)]
    pub id: Id<Note>,
    #[field(key)]
    pub slug: String,
    #[field(uniqe)]
    pub title: String,
}

fn main() {}
