//! [`EventHooks`]: what a model of events does before and after one is written.

use crate::{Hook, HookContext, HookError, Hooks, Model};

/// What a model with `store = events` does before and after an event is written: [`Hooks`] without those of changes and
/// deletions, which events do not have. `#[model(store = events, hooks)]` says that a model implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says `hooks`, but has none",
    label = "needs an `impl EventHooks for {Self}`",
    note = "the hooks of events, which are those of their creation, are `debros::EventHooks`; an empty one will do: each is optional"
)]
pub trait EventHooks: Model {
    /// Before an event is written.
    ///
    /// # Errors
    /// To refuse.
    fn before_create(&mut self, context: &HookContext) -> Result<(), HookError> {
        let _ = context;
        Ok(())
    }
    /// After an event was written.
    fn after_create(&self, context: &HookContext) {
        let _ = context;
    }
}

// so that `Hooks` on a model of events is told of where it stands, and not once more where the model says `hooks`
#[diagnostic::do_not_recommend]
impl<M: Hooks> EventHooks for M {
    fn before_create(&mut self, context: &HookContext) -> Result<(), HookError> {
        Hooks::before_create(self, context)
    }
    fn after_create(&self, context: &HookContext) {
        Hooks::after_create(self, context);
    }
}

/// Runs one hook of a model of events. Generated code calls this from [`Model::hook`].
///
/// # Errors
/// If the hook refuses.
pub fn run_event_hook<M: EventHooks>(row: &mut M, hook: Hook<'_, M>, context: &HookContext) -> Result<(), HookError> {
    match hook {
        Hook::BeforeCreate => row.before_create(context),
        Hook::AfterCreate => {
            row.after_create(context);
            Ok(())
        }
        // what is not `Changeable` comes to none of these
        Hook::BeforeUpdate(_) | Hook::AfterUpdate(_) | Hook::BeforeDelete | Hook::AfterDelete => Ok(()),
    }
}
