// A relation is called like a function of every model.
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
    #[many_to_many]
    pub related: ManyToMany<User>,
}

fn main() {}
