// Options of relations that this version does not have.
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
    #[belongs_to(on_delete = cascade)]
    pub author: BelongsTo<User>,
    #[many_to_many(through = Like)]
    pub likes: ManyToMany<User>,
}

fn main() {}
