// A type that has no default is to have its own.
use debros::prelude::*;

#[derive(Debug, Clone, Value)]
pub enum Status {
    Draft,
    Public,
}

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    #[field(default)]
    pub status: Status,
}

fn main() {}
