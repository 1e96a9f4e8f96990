// A check says yes or no, and not why.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(check = is_short)]
    pub text: String,
}

fn is_short(text: &String) -> bool {
    text.len() < 10
}

fn main() {}
