//! Deleting a record.

use super::{Target, operation};
use crate::{Session, WriteError};
use debros_core::{Hook, HookContext, Map, Model};

pub(crate) async fn delete<M: Model>(session: Session, target: Result<Target, WriteError>) -> Result<(), WriteError> {
    let context = session.context();
    let delete = operation::Delete { model: M::DEF, target: target?, behaviour: operation::Behaviour::of::<M>() };
    let done = session.write(context, vec![operation::Operation::Delete(delete)]).await?;
    for (before, _) in done.iter().flat_map(|done| &done.rows) {
        after_delete::<M>(before.as_ref(), &context);
    }
    Ok(())
}

/// Runs the hook after a record was deleted.
pub(crate) fn after_delete<M: Model>(before: Option<&Map>, context: &HookContext) {
    // what does not decode has no hook to run; a model with hooks refuses to delete it
    if M::HOOKS
        && let Some(mut row) = before.and_then(|record| M::decode(record).ok())
    {
        // what an `after_` hook returns is always Ok
        let _ = row.hook(Hook::AfterDelete, context);
    }
}
