// The strategy is misspelt.
use debros::prelude::*;

#[model(sharding(strategy = hsh, key = title, count = 8))]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: UserId,
    pub title: String,
}

fn main() {}
