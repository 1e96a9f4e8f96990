// The shard key is a relation.
use debros::prelude::*;

#[model(sharding(strategy = hash, key = parent, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
    pub parent_id: Id<Post>,
    #[belongs_to]
    pub parent: BelongsTo<Post>,
}

fn main() {}
