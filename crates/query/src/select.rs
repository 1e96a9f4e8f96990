//! [`Select`]: what is told of each group.

use crate::{
    Aggregate, Extreme, GroupOrder, Number, QueryError,
    query::{extreme, sum},
};
use debros_core::{Model, Path, Value};
use std::{fmt, marker::PhantomData};

/// What can be told of a group of rows of the model `M`: what the closures of
/// [`Grouped::select`](crate::Grouped::select) and [`Selected::order_by`](crate::Selected::order_by) get.
pub struct Aggregates<M>(PhantomData<fn() -> M>);

impl<M> fmt::Debug for Aggregates<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aggregates")
    }
}

impl<M: Model> Aggregates<M> {
    pub(crate) fn new() -> Aggregates<M> {
        Aggregates(PhantomData)
    }

    /// How many rows it has.
    pub fn count(&self) -> Sel<u64> {
        // a count that has no u64 has no rows to be counted either
        Sel {
            aggregate: Aggregate::Count,
            read: |_, value| Ok(value.as_int().and_then(|n| n.try_into().ok()).unwrap_or(0)),
        }
    }

    /// The sum of a column; absent values are skipped, and the sum of nothing is 0.
    pub fn sum<T: Number, K>(&self, column: impl FnOnce(M::Fields) -> Path<M, T, K>) -> Sel<T::Sum> {
        Sel { aggregate: Aggregate::Sum(column(M::FIELDS).name()), read: |of, value| sum::<T>(of.0, of.1, &value) }
    }

    /// The mean of a column; absent values are skipped, and there is none of nothing.
    pub fn avg<T: Number, K>(&self, column: impl FnOnce(M::Fields) -> Path<M, T, K>) -> Sel<Option<f64>> {
        Sel { aggregate: Aggregate::Avg(column(M::FIELDS).name()), read: |_, value| Ok(value.as_number()) }
    }

    /// The smallest value of a column; absent values are skipped.
    pub fn min<T: Extreme, K>(&self, column: impl FnOnce(M::Fields) -> Path<M, T, K>) -> Sel<Option<T::Value>> {
        Sel { aggregate: Aggregate::Min(column(M::FIELDS).name()), read: |of, value| extreme::<T>(of.0, of.1, &value) }
    }

    /// The largest value of a column; absent values are skipped.
    pub fn max<T: Extreme, K>(&self, column: impl FnOnce(M::Fields) -> Path<M, T, K>) -> Sel<Option<T::Value>> {
        Sel { aggregate: Aggregate::Max(column(M::FIELDS).name()), read: |of, value| extreme::<T>(of.0, of.1, &value) }
    }
}

/// A model and a field, for messages.
type Of = (&'static str, &'static str);

/// One figure of a group, of the type `T`.
pub struct Sel<T> {
    aggregate: Aggregate,
    read: fn(Of, Value) -> Result<T, QueryError>,
}

impl<T> Clone for Sel<T> {
    fn clone(&self) -> Sel<T> {
        *self
    }
}
impl<T> Copy for Sel<T> {}
impl<T> fmt::Debug for Sel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.aggregate.fmt(f)
    }
}

impl<T> Sel<T> {
    /// Groups with the smallest figure first, without one before all.
    pub fn asc(self) -> GroupOrder {
        GroupOrder { by: self.aggregate, descending: false }
    }

    /// Groups with the largest figure first, without one last.
    pub fn desc(self) -> GroupOrder {
        GroupOrder { by: self.aggregate, descending: true }
    }
}

/// What the closure of [`Grouped::select`](crate::Grouped::select) may return: a figure, or a tuple of up to eight.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no figure of a group, nor a tuple of figures",
    label = "expected such as `g.count()` or `(g.count(), g.avg(|p| p.likes))`"
)]
pub trait Select: Send + 'static {
    /// The figures.
    type Out: Send + 'static;
    /// Adds them, as data.
    fn aggregates(&self, all: &mut Vec<Aggregate>);
    /// Takes their values.
    ///
    /// # Errors
    /// If one does not fit its type.
    fn take(&self, model: &'static str, values: &mut std::vec::IntoIter<Value>) -> Result<Self::Out, QueryError>;
}

impl<T: Send + 'static> Select for Sel<T> {
    type Out = T;
    fn aggregates(&self, all: &mut Vec<Aggregate>) {
        all.push(self.aggregate);
    }
    fn take(&self, model: &'static str, values: &mut std::vec::IntoIter<Value>) -> Result<T, QueryError> {
        (self.read)((model, self.aggregate.field().unwrap_or("count")), values.next().unwrap_or_default())
    }
}

macro_rules! select {
    ($($($name:ident $at:tt)*;)*) => { $(
        impl<$($name: Select),*> Select for ($($name,)*) {
            type Out = ($($name::Out,)*);
            fn aggregates(&self, all: &mut Vec<Aggregate>) {
                $(self.$at.aggregates(all);)*
            }
            fn take(&self, model: &'static str, values: &mut std::vec::IntoIter<Value>) -> Result<Self::Out, QueryError> {
                Ok(($(self.$at.take(model, values)?,)*))
            }
        }
    )* };
}
select! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}
