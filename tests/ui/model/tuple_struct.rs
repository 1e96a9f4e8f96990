// The fields of the model have no names.
use debros::prelude::*;

#[model]
pub struct Note(#[field(key)] pub String);

fn main() {}
