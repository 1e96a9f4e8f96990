// A field of a nested struct has no stored form.
use debros::prelude::*;

#[derive(Value)]
pub struct Address {
    pub street: String,
    pub door: std::num::NonZeroU8,
}

fn main() {}
