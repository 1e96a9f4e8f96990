// The crate under another name.
#![deny(warnings)]
mod other {
    pub use debros::*;
}
use other::{Id, Value, model, models};

#[model(crate = crate::other)]
#[derive(Debug)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub kind: Kind,
}

#[derive(Debug, Value)]
#[value(crate = crate::other)]
pub enum Kind {
    Short,
    Long,
}

fn main() {
    let _ = models![Note];
    let _ = (Kind::Short, Kind::Long);
}
