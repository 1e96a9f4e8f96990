// A `has_many` leads to a struct that is no model.
use debros::prelude::*;

pub struct Post {
    pub title: String,
}

#[model]
pub struct User {
    #[field(key)]
    pub id: Id<User>,
    #[has_many]
    pub posts: HasMany<Post>,
}

fn main() {}
