// The model is an enum.
use debros::prelude::*;

#[model]
pub enum Status {
    Draft,
    Published,
}

fn main() {}
