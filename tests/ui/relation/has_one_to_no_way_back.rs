// The model that a `has_one` leads to does not lead back.
use debros::prelude::*;

#[model]
pub struct User {
    #[field(key)]
    pub id: Id<User>,
    #[has_one]
    pub profile: HasOne<Profile>,
}

#[model]
pub struct Profile {
    #[field(key)]
    pub id: Id<Profile>,
}

fn main() {}
