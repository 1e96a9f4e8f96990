// The shard key is a float.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = score, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
    pub score: f64,
}

fn main() {}
