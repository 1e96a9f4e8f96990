// A `has_many` is an option.
use debros::prelude::*;

#[model(scope = global, writers = anyone)]
pub struct User {
    #[field(key)]
    pub id: Id<User>,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Option<Post>>,
}

#[model]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub author_id: Id<User>,
    #[belongs_to]
    pub author: BelongsTo<User>,
}

fn main() {}
