// The model has no key, nor a field that looks like one.
use debros::prelude::*;

#[model]
pub struct Note {
    pub text: String,
}

fn main() {}
