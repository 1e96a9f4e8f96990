// A nested struct whose fields have no names.
use debros::prelude::*;

#[derive(Value)]
pub struct Point(f64, f64);

fn main() {}
