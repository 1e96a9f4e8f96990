// Models of every visibility, in a program that nobody else uses.
#![deny(warnings, unreachable_pub)]
use debros::prelude::*;

mod models {
    use debros::prelude::*;

    #[model(scope = global, writers = anyone)]
    #[derive(Debug, Clone)]
    pub(crate) struct User {
        #[field(key)]
        pub(crate) id: Id<User>,
        pub(crate) name: String,
        #[has_many]
        pub(crate) posts: HasMany<Post>,
    }

    #[model]
    #[derive(Debug, Clone)]
    pub(crate) struct Post {
        #[field(key)]
        pub(crate) id: Id<Post>,
        pub(crate) user_id: Id<User>,
        pub(crate) title: String,
        #[belongs_to(key = user_id)]
        pub(crate) author: BelongsTo<User>,
    }

    pub(crate) mod inner {
        use super::User;
        use debros::prelude::*;

        #[model]
        #[derive(Debug, Clone)]
        pub(super) struct Draft {
            #[field(key)]
            id: Id<Draft>,
            user_id: Id<User>,
            text: String,
            #[belongs_to(key = user_id)]
            author: BelongsTo<User>,
            #[many_to_many]
            notes: ManyToMany<Note>,
        }

        #[model]
        #[derive(Debug, Clone)]
        pub(in crate::models) struct Note {
            #[field(key)]
            id: Id<Note>,
            #[many_to_many(inverse = notes)]
            drafts: ManyToMany<Draft>,
        }

        pub(crate) fn all() -> Models {
            let _ = |draft: Draft| (draft.id, draft.user_id, draft.text, draft.author, draft.notes);
            let _ = |note: Note| (note.id, note.drafts);
            models![User, super::Post, Draft, Note]
        }
    }
}

use models::{NewPost, NewUser, Post, User};

type Card = Loaded![Post { author }];

fn title(card: &Card) -> (&str, &str) {
    (&card.title, &card.author().name)
}

fn main() {
    let _ = models::inner::all();
    let _ = |user: User| (user.id, user.name, user.posts);
    let _ = |post: Post| (post.id, post.user_id, post.author);
    let _ = |user_id| (NewUser { name: String::new() }, NewPost { user_id, title: String::new() });
    let _ = Post::query().filter(|p| p.author.is(|u| u.name.eq("a")));
    let _ = title;
}
