//! [`Changeable`]: models whose records can be changed and deleted.

use crate::Model;

/// Models whose records can be changed and deleted: those with `store = documents`. What is stored as events stays as it was
/// written.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is stored as events, which only grow: they cannot be changed or deleted",
    label = "an event stays as it was written",
    note = "write another event that says what is different, or make `{Self}` a model of documents: `store = documents`",
    note = "hooks of events, which are those of their creation, are `debros::EventHooks`"
)]
pub trait Changeable: Model {}
