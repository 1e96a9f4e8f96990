//! The slots of relations in a model's struct, and what a loaded relation is.

use crate::{DecodeError, Included, Many, One, RawRow};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{cmp::Ordering, fmt, hash, marker::PhantomData};

macro_rules! slots {
    ($($(#[$doc:meta])* $slot:ident)*) => { $(
        $(#[$doc])*
        ///
        /// The slot itself holds nothing: `.with(..)` loads the relation, and the loaded row has a method of the slot's name.
        pub struct $slot<T>(PhantomData<fn() -> T>);

        impl<T> $slot<T> {
            /// The slot.
            pub const fn new() -> $slot<T> {
                $slot(PhantomData)
            }
        }
        impl<T> Default for $slot<T> {
            fn default() -> $slot<T> {
                $slot(PhantomData)
            }
        }
        impl<T> Clone for $slot<T> {
            fn clone(&self) -> $slot<T> {
                *self
            }
        }
        impl<T> Copy for $slot<T> {}
        impl<T> PartialEq for $slot<T> {
            fn eq(&self, _: &$slot<T>) -> bool {
                true
            }
        }
        impl<T> Eq for $slot<T> {}
        impl<T> PartialOrd for $slot<T> {
            fn partial_cmp(&self, other: &$slot<T>) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl<T> Ord for $slot<T> {
            fn cmp(&self, _: &$slot<T>) -> Ordering {
                Ordering::Equal
            }
        }
        impl<T> hash::Hash for $slot<T> {
            fn hash<H: hash::Hasher>(&self, _: &mut H) {}
        }
        impl<T> fmt::Debug for $slot<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("<relation>")
            }
        }
        impl<T> Serialize for $slot<T> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_unit()
            }
        }
        impl<'de, T> Deserialize<'de> for $slot<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$slot<T>, D::Error> {
                serde::de::IgnoredAny::deserialize(deserializer).map(|_| $slot::new())
            }
        }
    )* };
}
slots! {
    /// The slot of a relation to the one row whose key this one holds. `BelongsTo<Option<T>>` may lead to none.
    BelongsTo
    /// The slot of a relation to the one row, if any, that holds this one's key.
    HasOne
    /// The slot of a relation to the rows that hold this one's key.
    HasMany
    /// The slot of a relation made of links.
    ManyToMany
}

/// What a loaded relation is: exactly one row, one or none, or any number.
pub trait Slot: 'static {
    /// [`One`] or [`Many`].
    type Arity;
    /// May there be no row, where there is at most one?
    const OPTIONAL: bool = false;
    /// The loaded rows, of type `R`.
    type Out<R: Send + Sync + 'static>: Send + Sync + 'static;
    /// The loaded rows, as the accessor of a loaded row gives them.
    type View<'a, R: 'a>;
    /// Reads what a query loaded.
    ///
    /// # Errors
    /// If a row does not decode, or there is none where there must be one.
    fn load<R: Send + Sync + 'static>(
        included: Included,
        relation: (&'static str, &'static str),
        row: fn(RawRow) -> Result<R, DecodeError>,
    ) -> Result<Self::Out<R>, DecodeError>;
    /// As the accessor gives them.
    fn view<R: Send + Sync + 'static>(out: &Self::Out<R>) -> Self::View<'_, R>;
}

/// Exactly one row: `BelongsTo<T>`.
pub struct Required;
/// One row or none: `BelongsTo<Option<T>>`, `HasOne<T>`.
pub struct Optional;
/// Any number of rows: `HasMany<T>`, `ManyToMany<T>`.
pub struct Several;

fn mismatch((model, relation): (&'static str, &'static str)) -> DecodeError {
    DecodeError::new(model, relation, "was loaded as another kind of relation than it is")
}

impl Slot for Required {
    type Arity = One;
    type Out<R: Send + Sync + 'static> = Box<R>;
    type View<'a, R: 'a> = &'a R;

    fn load<R: Send + Sync + 'static>(
        included: Included,
        relation: (&'static str, &'static str),
        row: fn(RawRow) -> Result<R, DecodeError>,
    ) -> Result<Box<R>, DecodeError> {
        match included {
            Included::One(Some(raw)) => row(*raw).map(Box::new),
            Included::One(None) => {
                Err(DecodeError::new(relation.0, relation.1, "is required, but its row is not here"))
            }
            Included::Many(_) => Err(mismatch(relation)),
        }
    }
    fn view<R: Send + Sync + 'static>(out: &Box<R>) -> &R {
        out
    }
}

impl Slot for Optional {
    type Arity = One;
    const OPTIONAL: bool = true;
    type Out<R: Send + Sync + 'static> = Option<Box<R>>;
    type View<'a, R: 'a> = Option<&'a R>;

    fn load<R: Send + Sync + 'static>(
        included: Included,
        relation: (&'static str, &'static str),
        row: fn(RawRow) -> Result<R, DecodeError>,
    ) -> Result<Option<Box<R>>, DecodeError> {
        match included {
            Included::One(raw) => raw.map(|raw| row(*raw).map(Box::new)).transpose(),
            Included::Many(_) => Err(mismatch(relation)),
        }
    }
    fn view<R: Send + Sync + 'static>(out: &Option<Box<R>>) -> Option<&R> {
        out.as_deref()
    }
}

impl Slot for Several {
    type Arity = Many;
    type Out<R: Send + Sync + 'static> = Vec<R>;
    type View<'a, R: 'a> = &'a [R];

    fn load<R: Send + Sync + 'static>(
        included: Included,
        relation: (&'static str, &'static str),
        row: fn(RawRow) -> Result<R, DecodeError>,
    ) -> Result<Vec<R>, DecodeError> {
        match included {
            Included::Many(rows) => rows.into_iter().map(row).collect(),
            Included::One(_) => Err(mismatch(relation)),
        }
    }
    fn view<R: Send + Sync + 'static>(out: &Vec<R>) -> &[R] {
        out
    }
}
