// The shard key changes with every write.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = at, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
    #[field(updated)]
    pub at: Timestamp,
}

fn main() {}
