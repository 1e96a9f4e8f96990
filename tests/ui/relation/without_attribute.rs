// A relation has no attribute.
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
    pub user_id: Id<User>,
    pub author: BelongsTo<User>,
}

fn main() {}
