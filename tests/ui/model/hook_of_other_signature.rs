// A hook takes other arguments than hooks do.
use debros::prelude::*;

#[model(hooks)]
pub struct Note {
    #[field(key)]
    pub id: Id<Note>,
    pub text: String,
}

impl Hooks for Note {
    fn before_create(&mut self) -> Result<(), HookError> {
        Ok(())
    }
}

fn main() {}
