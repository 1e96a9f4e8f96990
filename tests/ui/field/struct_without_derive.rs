// A nested struct has no stored form.
use debros::prelude::*;

pub struct Address {
    pub street: String,
}

#[model]
pub struct Customer {
    #[field(key)]
    pub id: Id<Customer>,
    pub address: Address,
}

fn main() {}
