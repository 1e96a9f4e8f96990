// A `many_to_many` leads to a struct that is no model.
use debros::prelude::*;

pub struct Tag {
    pub name: String,
}

#[model]
pub struct Post {
    #[field(key)]
    pub id: Id<Post>,
    #[many_to_many]
    pub tags: ManyToMany<Tag>,
}

fn main() {}
