// An option of the model stands on a field.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(scope = global)]
    pub text: String,
}

fn main() {}
