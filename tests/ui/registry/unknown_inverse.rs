// An inverse names a field that the other model lacks.
use debros::prelude::*;

#[model]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

#[model]
pub struct Tag {
    #[field(key)]
    pub id: Id<Tag>,
    #[many_to_many(inverse = tag)]
    pub posts: ManyToMany<Post>,
}

fn main() {
    let _ = models![Post, Tag];
}
