// The type of the field is that of another relation.
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
    pub author: HasMany<User>,
}

fn main() {}
