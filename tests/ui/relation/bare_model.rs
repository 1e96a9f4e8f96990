// The type of the field is the model itself.
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
    pub author: User,
    #[has_many]
    pub comments: Vec<Comment>,
}

#[model]
pub struct Comment {
    #[field(key)]
    pub id: Id<Comment>,
    pub post_id: Id<Post>,
    #[belongs_to]
    pub post: BelongsTo<Post>,
}

fn main() {}
