// Nothing says by what and into how many shards.
use debros::prelude::*;

#[model(sharding(strategy = hash))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
}

fn main() {}
