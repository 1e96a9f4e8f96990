// A method of the struct has the name of one of its relations.
use debros::prelude::*;

#[model]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub next_id: Option<Id<Note>>,
    #[belongs_to]
    pub next: BelongsTo<Option<Note>>,
}

impl Note {
    pub fn next(&self) -> Option<Id<Note>> {
        self.next_id
    }
}

fn main() {}
