// A type that cannot be a key is one, under another name.
use debros::prelude::*;

pub type Degrees = f64;

#[model]
pub struct Reading {
    #[field(key)]
    pub degrees: Degrees,
}

fn main() {}
