//! Changing and deleting the rows of a query.

use super::{
    delete::after_delete,
    operation::{Behaviour, Change, DeleteAll, Operation, UpdateAll},
    update::after_update,
};
use crate::{Session, WriteError};
use debros_core::{Model, Value};
use debros_query::QuerySpec;

/// Sets fields of every row of a query, in one commit.
pub(crate) async fn update_all<M: Model>(
    session: Session,
    query: QuerySpec,
    set: Vec<(&'static str, Value)>,
) -> Result<u64, WriteError> {
    let context = session.context();
    let all = UpdateAll { query, change: Change { set, behaviour: Behaviour::of::<M>() } };
    let done = session.write(context, vec![Operation::UpdateAll(all)]).await?;
    if M::HOOKS {
        for (before, after) in done.iter().flat_map(|done| &done.rows) {
            after_update::<M>(before.as_ref(), after.as_ref(), &context)?;
        }
    }
    Ok(done.iter().map(|done| done.count).sum())
}

/// Deletes every row of a query, in one commit.
pub(crate) async fn delete_all<M: Model>(session: Session, query: QuerySpec) -> Result<u64, WriteError> {
    let context = session.context();
    let all = DeleteAll { query, behaviour: Behaviour::of::<M>() };
    let done = session.write(context, vec![Operation::DeleteAll(all)]).await?;
    for (before, _) in done.iter().flat_map(|done| &done.rows) {
        after_delete::<M>(before.as_ref(), &context);
    }
    Ok(done.iter().map(|done| done.count).sum())
}
