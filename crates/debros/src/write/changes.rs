//! [`Changes`]: what a write sets, and [`Pending`], by which a batch says so.

use debros_core::{Codec, EncodeError, IntoValue, Model, Path, Settable, SettableAtCreation, Value};
use std::marker::PhantomData;

/// What a write sets: fields and their stored values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    set: Vec<(&'static str, Value)>,
    failed: Option<EncodeError>,
}

impl Changes {
    pub(crate) fn set<M: Model, T, K: Codec<T>>(&mut self, path: Path<M, T, K>, value: T) {
        match K::encode(&value) {
            Ok(value) => self.set.push((path.name(), value)),
            Err(reason) => {
                self.failed.get_or_insert_with(|| EncodeError::new(M::DEF.name, path.name(), reason));
            }
        }
    }

    /// The fields and their values; of a field that was set twice, the last value counts.
    pub(crate) fn finish(self) -> Result<Vec<(&'static str, Value)>, EncodeError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.set),
        }
    }
}

/// Of a [`Pending`] write: the record is made.
pub struct Creation;
/// Of a [`Pending`] write: the record is there.
pub struct Change;

/// What one write of a batch sets: `.update(&post, |p| p.set(|p| p.title, "new"))`.
pub struct Pending<M, At = Change> {
    pub(crate) changes: Changes,
    _model: PhantomData<fn() -> (M, At)>,
}

impl<M: Model, At> Pending<M, At> {
    pub(crate) fn new() -> Pending<M, At> {
        Pending { changes: Changes::default(), _model: PhantomData }
    }
}

impl<M: Model> Pending<M, Creation> {
    /// Gives a field a value.
    #[must_use]
    pub fn set<T, K: SettableAtCreation + Codec<T>>(
        mut self,
        field: impl FnOnce(M::Fields) -> Path<M, T, K>,
        value: impl IntoValue<T>,
    ) -> Pending<M, Creation> {
        self.changes.set(field(M::FIELDS), value.into_value());
        self
    }
}

impl<M: Model> Pending<M, Change> {
    /// Gives a field a value.
    #[must_use]
    pub fn set<T, K: Settable + Codec<T>>(
        mut self,
        field: impl FnOnce(M::Fields) -> Path<M, T, K>,
        value: impl IntoValue<T>,
    ) -> Pending<M, Change> {
        self.changes.set(field(M::FIELDS), value.into_value());
        self
    }
}
