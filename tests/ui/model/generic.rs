// The model is generic.
use debros::prelude::*;

#[model]
pub struct Note<T> {
    #[field(key)]
    pub id: Id<String>,
    pub value: T,
}

fn main() {}
