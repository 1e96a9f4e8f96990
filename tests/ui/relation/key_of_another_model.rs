// The field for the key holds the id of another model.
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
    pub user_id: Id<Post>,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

fn main() {}
