// There are two ways back, and none is named.
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
    pub author_id: Id<User>,
    pub editor_id: Id<User>,
    #[belongs_to]
    pub author: BelongsTo<User>,
    #[belongs_to]
    pub editor: BelongsTo<User>,
}

fn main() {}
