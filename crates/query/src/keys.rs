//! [`Keys`]: what rows are grouped by.

use crate::QueryError;
use debros_core::{Codec, DecodeError, Path, Value};

/// What the closure of `.group_by(..)` may return: a column, or a tuple of up to six. Rows are in one group if their
/// values are equal; those without a value are in a group of their own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no column of `{M}`, nor a tuple of its columns",
    label = "groups by columns: `.group_by(|p| p.a)`, `.group_by(|p| (p.a, p.b))`"
)]
pub trait Keys<M> {
    /// These: of what is none, the rest of the query is not told of again.
    #[doc(hidden)]
    type Itself: Keys<M>;
    /// The values that the rows of a group have in common.
    type Out: Send + 'static;
    /// Adds the names of the columns.
    fn names(&self, names: &mut Vec<&'static str>);
    /// Takes the values of these columns.
    ///
    /// # Errors
    /// If one does not decode.
    fn take(values: &mut GroupKeys<'_>) -> Result<Self::Out, QueryError>;
}

/// The values of a group's keys, to be taken one by one.
#[derive(Debug)]
pub struct GroupKeys<'v> {
    pub(crate) model: &'static str,
    pub(crate) names: std::slice::Iter<'v, &'static str>,
    pub(crate) values: std::vec::IntoIter<Value>,
}

impl<M, T: Send + 'static, K: Codec<T>> Keys<M> for Path<M, T, K> {
    type Itself = Path<M, T, K>;
    type Out = T;
    fn names(&self, names: &mut Vec<&'static str>) {
        names.push(self.name());
    }
    fn take(values: &mut GroupKeys<'_>) -> Result<T, QueryError> {
        let (name, value) = (values.names.next().copied().unwrap_or("key"), values.values.next().unwrap_or_default());
        Ok(K::decode(&value).map_err(|reason| DecodeError::new(values.model, name, reason.to_string()))?)
    }
}

macro_rules! keys {
    ($($($name:ident $at:tt)*;)*) => { $(
        impl<M, $($name: Keys<M>),*> Keys<M> for ($($name,)*) {
            type Itself = ($($name,)*);
            type Out = ($($name::Out,)*);
            fn names(&self, names: &mut Vec<&'static str>) {
                $(self.$at.names(names);)*
            }
            fn take(values: &mut GroupKeys<'_>) -> Result<Self::Out, QueryError> {
                Ok(($($name::take(values)?,)*))
            }
        }
    )* };
}
keys! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
}
