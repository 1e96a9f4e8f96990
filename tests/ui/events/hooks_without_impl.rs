// The model of events says that it has hooks, and has none.
use debros::prelude::*;

#[model(store = events, hooks)]
pub struct Visit {
    #[field(key)]
    pub id: Id<Visit>,
}

fn main() {}
