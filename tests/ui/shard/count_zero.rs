// There are to be no shards.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = id, count = 0))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
}

fn main() {}
