// Two variants are stored under one name.
use debros::prelude::*;

#[derive(Value)]
pub enum Status {
    Draft,
    #[value(name = "Draft")]
    Sketch,
}

fn main() {}
