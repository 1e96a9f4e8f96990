//! [`Hooks`]: what a model does before and after its records are written.

use crate::{Changeable, Timestamp, UserId};
use std::fmt;

/// What a model does before and after its records are written: `#[model(hooks)]` on the struct, and an implementation of
/// the hooks that it wants. A model with `store = events` implements [`EventHooks`](crate::EventHooks) instead.
///
/// Every way to write goes through them, batches and `update_all` included. A `before_` hook may change the record, or refuse
/// the write by an error: then nothing is written. The rules of fields are checked after it. An `after_` hook runs when the
/// write is durable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says `hooks`, but has none",
    label = "needs an `impl Hooks for {Self}`",
    note = "an empty one will do: each hook is optional"
)]
pub trait Hooks: Changeable {
    /// Before a record is created.
    ///
    /// # Errors
    /// To refuse.
    fn before_create(&mut self, context: &HookContext) -> Result<(), HookError> {
        let _ = context;
        Ok(())
    }
    /// After a record was created.
    fn after_create(&self, context: &HookContext) {
        let _ = context;
    }
    /// Before a record is changed; `before` is what is stored.
    ///
    /// # Errors
    /// To refuse.
    fn before_update(&mut self, before: &Self, context: &HookContext) -> Result<(), HookError> {
        let _ = (before, context);
        Ok(())
    }
    /// After a record was changed; `before` is what was stored.
    fn after_update(&self, before: &Self, context: &HookContext) {
        let _ = (before, context);
    }
    /// Before a record is deleted.
    ///
    /// # Errors
    /// To refuse.
    fn before_delete(&self, context: &HookContext) -> Result<(), HookError> {
        let _ = context;
        Ok(())
    }
    /// After a record was deleted.
    fn after_delete(&self, context: &HookContext) {
        let _ = context;
    }
}

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub struct HookContext {
    /// The user of the session.
    pub user: UserId,
    /// The time of the write, the same for all of a batch.
    pub now: Timestamp,
}

/// Why a hook refuses a write.
///
/// ```
/// use debros_core::HookError;
///
/// fn check(text: &str) -> Result<(), HookError> {
///     if text.contains("spam") { Err("this looks like spam".into()) } else { Ok(()) }
/// }
/// assert!(check("spam!").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookError(String);

impl<T: Into<String>> From<T> for HookError {
    fn from(message: T) -> HookError {
        HookError(message.into())
    }
}
impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One moment at which a model's hooks run, with what stored row there was.
#[derive(Debug)]
pub enum Hook<'h, M> {
    /// Before a record is created.
    BeforeCreate,
    /// After a record was created.
    AfterCreate,
    /// Before a record is changed.
    BeforeUpdate(&'h M),
    /// After a record was changed.
    AfterUpdate(&'h M),
    /// Before a record is deleted.
    BeforeDelete,
    /// After a record was deleted.
    AfterDelete,
}

impl<M> Hook<'_, M> {
    /// The name of the method.
    pub fn name(&self) -> &'static str {
        match self {
            Hook::BeforeCreate => "before_create",
            Hook::AfterCreate => "after_create",
            Hook::BeforeUpdate(_) => "before_update",
            Hook::AfterUpdate(_) => "after_update",
            Hook::BeforeDelete => "before_delete",
            Hook::AfterDelete => "after_delete",
        }
    }
}

/// Runs one hook. Generated code calls this from [`Model::hook`](crate::Model::hook).
///
/// # Errors
/// If the hook refuses.
pub fn run_hook<M: Hooks>(row: &mut M, hook: Hook<'_, M>, context: &HookContext) -> Result<(), HookError> {
    match hook {
        Hook::BeforeCreate => row.before_create(context)?,
        Hook::AfterCreate => row.after_create(context),
        Hook::BeforeUpdate(before) => row.before_update(before, context)?,
        Hook::AfterUpdate(before) => row.after_update(before, context),
        Hook::BeforeDelete => row.before_delete(context)?,
        Hook::AfterDelete => row.after_delete(context),
    }
    Ok(())
}
