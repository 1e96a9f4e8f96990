// A field of a type that cannot leave its thread.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub text: std::rc::Rc<str>,
}

fn main() {}
