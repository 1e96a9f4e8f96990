// Public fields and relations of models that are not public.
#![deny(warnings, unreachable_pub)]
use debros::prelude::*;

mod models {
    use debros::prelude::*;

    #[model(scope = global, writers = anyone)]
    pub(crate) struct User {
        #[field(key)]
        pub id: Id<User>,
        #[has_many]
        pub posts: HasMany<Post>,
    }

    #[model]
    pub(crate) struct Post {
        #[field(key)]
        pub id: Id<Post>,
        pub user_id: Id<User>,
        #[belongs_to(key = user_id)]
        pub author: BelongsTo<User>,
        #[many_to_many]
        pub readers: ManyToMany<User>,
    }
}

fn main() {
    let _ = models![models::User, models::Post];
    let _ = |user: models::User| (user.id, user.posts);
    let _ = |post: models::Post| (post.id, post.user_id, post.author, post.readers);
}
