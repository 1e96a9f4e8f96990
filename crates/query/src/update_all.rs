//! [`UpdateAll`]: fields of every row of a query, being set.

use crate::{Answer, QueryError, QuerySpec, Writes};
use debros_core::{Changeable, Codec, EncodeError, IntoValue, Model, Path, Settable, Value};
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
pub struct UpdateAll<M, E> {
    write: Write<E>,
    spec: Result<QuerySpec, QueryError>,
    set: Vec<(&'static str, Value)>,
    broken: Option<EncodeError>,
    model: PhantomData<fn() -> M>,
}

/// Of the handle: writes these values into the rows of this query.
type Write<E> = Box<dyn FnOnce(QuerySpec, Vec<(&'static str, Value)>) -> Answer<u64, E> + Send>;

impl<M, E> fmt::Debug for UpdateAll<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateAll").field("spec", &self.spec).field("set", &self.set).finish_non_exhaustive()
    }
}

impl<M: Model, E> UpdateAll<M, E> {
    pub(crate) fn new<H: Writes<Error = E>>(handle: &H, spec: Result<QuerySpec, QueryError>) -> UpdateAll<M, E>
    where
        M: Changeable,
    {
        let handle = handle.clone();
        let write = Box::new(move |spec, set| handle.update_all::<M>(spec, set));
        UpdateAll { write, spec, set: Vec::new(), broken: None, model: PhantomData }
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

impl<M: Model, E: From<QueryError> + Send + 'static> IntoFuture for UpdateAll<M, E> {
    type Output = Result<u64, E>;
    type IntoFuture = Answer<u64, E>;

    fn into_future(self) -> Answer<u64, E> {
        let spec = match (self.spec, self.broken) {
            (Err(error), _) => Err(error),
            (_, Some(error)) => Err(error.into()),
            (Ok(spec), None) => Ok(spec),
        };
        match spec {
            Ok(spec) => (self.write)(spec, self.set),
            Err(error) => Answer::ready(Err(error.into())),
        }
    }
}
