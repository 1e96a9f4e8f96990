// The field for the key has another name.
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
    pub authr_id: Id<User>,
    #[belongs_to]
    pub author: BelongsTo<User>,
}

fn main() {}
