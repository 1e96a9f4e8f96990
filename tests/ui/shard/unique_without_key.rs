// A unique field without the shard key.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = user_id, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
    #[field(unique)]
    pub slug: String,
}

fn main() {}
