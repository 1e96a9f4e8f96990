// A relation has two attributes.
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
    pub author_id: Id<User>,
    #[belongs_to]
    #[has_one]
    pub author: BelongsTo<User>,
}

fn main() {}
