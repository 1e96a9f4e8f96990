// A type without serde is stored through serde.
use debros::prelude::*;

pub struct Address {
    pub street: String,
}

#[model]
pub struct Customer {
    #[field(key)]
    pub id: Id<Customer>,
    #[field(serde)]
    pub address: Address,
}

fn main() {}
