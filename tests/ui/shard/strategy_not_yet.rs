// A strategy that this version does not have.
use debros::prelude::*;

#[model(sharding(strategy = range, key = title, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
}

fn main() {}
