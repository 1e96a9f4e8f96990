// A float is the key.
use debros::prelude::*;

#[model]
pub struct Reading {
    #[field(key)]
    pub degrees: f64,
}

fn main() {}
