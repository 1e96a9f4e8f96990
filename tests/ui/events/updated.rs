// An event has the time of its last change.
use debros::prelude::*;

#[model(store = events)]
pub struct Visit {
    #[field(key)]
    pub id: Id<Visit>,
    #[field(updated)]
    pub at: Timestamp,
}

fn main() {}
