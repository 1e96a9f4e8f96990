// The shard key may be absent.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = topic, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
    pub topic: Option<String>,
}

fn main() {}
