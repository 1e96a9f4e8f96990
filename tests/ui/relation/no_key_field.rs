// A relation without a field for the key.
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
    #[belongs_to]
    pub author: BelongsTo<User>,
}

fn main() {}
