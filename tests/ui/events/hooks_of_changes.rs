// An event has hooks of a change.
use debros::prelude::*;

#[model(store = events, hooks)]
pub struct Visit {
    #[field(key)]
    pub id: Id<Visit>,
}

impl Hooks for Visit {
    fn before_update(&mut self, _: &Visit, _: &HookContext) -> Result<(), HookError> {
        Err("a visit is what it was".into())
    }
}

fn main() {}
