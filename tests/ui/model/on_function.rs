// The model is a function.
use debros::prelude::*;

#[model]
pub fn note() {}

fn main() {}
