// A natural key without the shard key.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = user_id, count = 8))]
pub struct Post {
    #[field(key)]
    pub slug: String,
    pub user_id: UserId,
    pub title: String,
}

fn main() {}
