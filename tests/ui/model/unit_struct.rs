// The model has no fields.
use debros::prelude::*;

#[model]
pub struct Note;

fn main() {}
