// The field for the key has another type than the key.
use debros::prelude::*;

#[model(scope = global, writers = anyone)]
pub struct User {
    #[field(key)]
    pub id: Id<User>,
    pub name: String,
}

#[model]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: u32,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

fn main() {}
