// An enum with data is a field.
use debros::prelude::*;

#[derive(Value)]
pub enum Payment {
    Cash,
    Card { number: String },
    Voucher(u64),
}

#[model]
pub struct Order {
    #[field(key)]
    pub id: Id<Order>,
    pub payment: Payment,
}

fn main() {}
