// A public model leads to one that only its own module can see.
use debros::prelude::*;

#[model(scope = global, writers = anyone)]
struct User {
    #[field(key)]
    id: Id<User>,
    #[has_many]
    posts: HasMany<Post>,
}

#[model]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    pub user_id: Id<User>,
    #[belongs_to(key = user_id)]
    pub author: BelongsTo<User>,
}

fn main() {
    let _ = models![User, Post];
    let _ = |user: User| (user.id, user.posts);
}
