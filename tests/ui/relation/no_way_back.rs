// The model that a `has_many` leads to does not lead back.
use debros::prelude::*;

#[model(scope = global, writers = anyone)]
pub struct User {
    #[field(key)]
    pub id: Id<User>,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[model]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
}

fn main() {}
