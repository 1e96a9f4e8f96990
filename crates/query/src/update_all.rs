//! [`UpdateAll`]: fields of every row of a query, being set.

use crate::{Answer, QueryError, QuerySpec, Writes};
use debros_core::{Codec, EncodeError, IntoValue, Model, Path, Settable, Value};
use std::{fmt, future::IntoFuture, marker::PhantomData};

/// Fields of every row that a query finds, being set; `.await` writes, all rows or none, and says how many there were.
///
/// ```
/// use debros_query::{Query, oracle::{Memory, blog::Post}};
/// # futures::executor::block_on(async {
/// # let me = Memory::blog();
///
/// let drafts = Query::<Post>::new().filter(|p| p.published.eq(false));
/// let changed: u64 = drafts.clone().update_all(&me).set(|p| p.published, true).set(|p| p.likes, 0).await?;
/// assert_eq!((changed, drafts.count(&me).await?), (1, 0));
/// # Ok::<(), debros_query::QueryError>(()) }).unwrap();
/// ```
#[must_use = "nothing is written without `.await`"]
pub struct UpdateAll<M, H> {
    handle: H,
    spec: Result<QuerySpec, QueryError>,
    set: Vec<(&'static str, Value)>,
    broken: Option<EncodeError>,
    model: PhantomData<fn() -> M>,
}

impl<M, H> fmt::Debug for UpdateAll<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateAll").field("spec", &self.spec).field("set", &self.set).finish_non_exhaustive()
    }
}

impl<M: Model, H: Writes> UpdateAll<M, H> {
    pub(crate) fn new(handle: H, spec: Result<QuerySpec, QueryError>) -> UpdateAll<M, H> {
        UpdateAll { handle, spec, set: Vec::new(), broken: None, model: PhantomData }
    }

    /// Sets a field. Of one that is set twice the last value counts.
    pub fn set<T, K: Settable + Codec<T>>(
        mut self,
        field: impl FnOnce(M::Fields) -> Path<M, T, K>,
        value: impl IntoValue<T>,
    ) -> Self {
        let name = field(M::FIELDS).name();
        match K::encode(&value.into_value()) {
            Ok(value) => {
                self.set.retain(|(set, _)| *set != name);
                self.set.push((name, value));
            }
            Err(reason) => self.broken = self.broken.or(Some(EncodeError::new(M::DEF.name, name, reason))),
        }
        self
    }
}

impl<M: Model, H: Writes> IntoFuture for UpdateAll<M, H> {
    type Output = Result<u64, H::Error>;
    type IntoFuture = Answer<u64, H::Error>;

    fn into_future(self) -> Answer<u64, H::Error> {
        let spec = match (self.spec, self.broken) {
            (Err(error), _) => Err(error),
            (_, Some(error)) => Err(error.into()),
            (Ok(spec), None) => Ok(spec),
        };
        match spec {
            Ok(spec) => self.handle.update_all::<M>(spec, self.set),
            Err(error) => Answer::ready(Err(error.into())),
        }
    }
}
