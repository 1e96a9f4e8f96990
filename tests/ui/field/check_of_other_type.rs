// A check for another type.
use debros::prelude::*;

fn is_even(number: &u32) -> Result<(), String> {
    if number % 2 == 0 { Ok(()) } else { Err("is odd".into()) }
}

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(check = is_even)]
    pub title: String,
}

fn main() {}
