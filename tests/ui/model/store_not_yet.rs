// A store that this version does not have.
use debros::prelude::*;

#[model(store = counter)]
pub struct Visits {
    #[field(key)]
    pub id: Id<Visits>,
}

fn main() {}
