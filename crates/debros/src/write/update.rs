//! [`Update`]: changes that wait to be written.

use super::{Changes, Writing, operation};
use crate::{Session, WriteError, keys};
use debros_core::{Codec, Hook, HookContext, IntoValue, Map, Model, Path, Settable, Value};
use std::{future::IntoFuture, marker::PhantomData};

/// Changes that `.await` writes: `session.update(&post).set(|p| p.published, true).await?`.
///
/// The fields that are set change, and no others, whatever the copy of the row says: the stored row is read, changed and
/// written in one step. What comes back is the row as it is stored then.
#[must_use = "nothing is written without `.await`"]
pub struct Update<M: Model> {
    session: Session,
    target: Result<Target, WriteError>,
    changes: Changes,
    _model: PhantomData<fn() -> M>,
}

/// The row that is meant.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) key: Value,
    /// Where the copy at hand says that it is.
    pub(crate) shard: u32,
}

impl Target {
    pub(crate) fn of<M: Model>(row: &M) -> Result<Target, WriteError> {
        let key = row.key()?;
        let shard =
            match M::DEF.sharding {
                None => 0,
                Some(_) => debros_shard::shard_of_record(M::DEF, &row.encode()?)
                    .map_err(|source| WriteError::DagCbor { model: M::DEF.name, key: keys::text(&key), source })?,
            };
        Ok(Target { key, shard })
    }
}

impl<M: Model> Update<M> {
    pub(crate) fn new(session: Session, row: &M) -> Update<M> {
        Update { session, target: Target::of(row), changes: Changes::default(), _model: PhantomData }
    }

    /// Gives a field a value.
    pub fn set<T, K: Settable + Codec<T>>(
        mut self,
        field: impl FnOnce(M::Fields) -> Path<M, T, K>,
        value: impl IntoValue<T>,
    ) -> Update<M> {
        self.changes.set(field(M::FIELDS), value.into_value());
        self
    }
}

impl<M: Model> IntoFuture for Update<M> {
    type Output = Result<M, WriteError>;
    type IntoFuture = Writing<M>;

    fn into_future(self) -> Writing<M> {
        let Update { session, target, changes, .. } = self;
        Writing::new(async move {
            let context = session.context();
            let operation = operation::Update {
                model: M::DEF,
                target: target?,
                change: operation::Change { set: changes.finish()?, behaviour: operation::Behaviour::of::<M>() },
            };
            let mut done = session.write(context, vec![operation::Operation::Update(operation)]).await?;
            let rows = done.pop().map(|done| done.rows).unwrap_or_default();
            let mut updated = None;
            for (before, after) in &rows {
                updated = after_update::<M>(before.as_ref(), after.as_ref(), &context)?;
            }
            updated.ok_or_else(|| WriteError::store("the writer said nothing of the row that it changed"))
        })
    }
}

/// Reads a row that was changed, and runs the hook.
pub(crate) fn after_update<M: Model>(
    before: Option<&Map>,
    after: Option<&Map>,
    context: &HookContext,
) -> Result<Option<M>, WriteError> {
    let Some(after) = after else { return Ok(None) };
    let decode =
        |record: &Map| M::decode(record).map_err(|source| WriteError::Decode { key: keys::text_of(record), source });
    let mut row = decode(after)?;
    if M::HOOKS
        && let Some(before) = before
    {
        // what an `after_` hook returns is always Ok
        let _ = row.hook(Hook::AfterUpdate(&decode(before)?), context);
    }
    Ok(Some(row))
}
