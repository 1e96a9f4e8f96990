// A range of integers for a float.
use debros::prelude::*;

#[model]
pub struct Reading {
    #[field(key)]
    pub id: Id<Reading>,
    #[field(range = -90..=60)]
    pub degrees: f64,
}

fn main() {}
