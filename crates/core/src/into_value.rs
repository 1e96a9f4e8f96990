//! [`IntoValue`]: what may stand where a field's value is wanted.

use crate::{Field, Id, UserId};

/// What may stand where a field holds `T`: a `T`, and where the field is an `Option` also the bare value; a `&str` for a
/// `String`; an id by reference.
#[diagnostic::on_unimplemented(
    message = "cannot use a `{Self}` where the field holds `{T}`",
    label = "expected a value that converts to `{T}`"
)]
pub trait IntoValue<T> {
    /// The field's value.
    fn into_value(self) -> T;
}

impl<T> IntoValue<T> for T {
    fn into_value(self) -> T {
        self
    }
}
impl<T: Field> IntoValue<Option<T>> for T {
    fn into_value(self) -> Option<T> {
        Some(self)
    }
}

macro_rules! borrowed {
    ($([$($generics:tt)*] $borrowed:ty => $owned:ty, $convert:expr;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoValue<$owned> for $borrowed {
            fn into_value(self) -> $owned {
                $convert(self)
            }
        }
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> IntoValue<Option<$owned>> for $borrowed {
            fn into_value(self) -> Option<$owned> {
                Some($convert(self))
            }
        }
    )* };
}
borrowed! {
    [] &str => String, str::to_owned;
    [] &String => String, String::clone;
    [] &[u8] => Vec<u8>, <[u8]>::to_vec;
    [M] &Id<M> => Id<M>, Id::clone;
    [] &UserId => UserId, UserId::clone;
}
