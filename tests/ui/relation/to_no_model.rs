// A relation leads to a struct that is no model.
use debros::prelude::*;

pub struct User {
    pub name: String,
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
