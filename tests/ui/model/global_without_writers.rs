// A global model does not say who may write it.
use debros::prelude::*;

#[model(scope = global)]
pub struct Tag {
    #[field(key)]
    pub id: Id<Tag>,
}

fn main() {}
