// The field for the key is misspelt.
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
    #[belongs_to(key = usr_id)]
    pub author: BelongsTo<User>,
}

fn main() {}
