// The relation is required, and its key may be absent.
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
    pub author_id: Option<Id<User>>,
    #[belongs_to]
    pub author: BelongsTo<User>,
}

fn main() {}
