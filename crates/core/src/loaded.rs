//! [`LoadedRow`]: a row and what was loaded with it; [`Loaded!`](crate::Loaded) names its type.

mod overlay;

use crate::{LoadedName, SerializeShape, Shape};
use overlay::Overlay;
use serde::{Serialize, Serializer};
use std::fmt;

/// A row of the model `M` and what was loaded with it. `PostLoaded<S>` wraps one.
pub struct LoadedRow<M, S: Shape> {
    /// The row itself.
    pub row: M,
    /// What was loaded with it.
    pub data: S::Data,
}

impl<M, S: Shape> LoadedRow<M, S> {
    /// A row with what was loaded with it.
    pub fn new(row: M, data: S::Data) -> LoadedRow<M, S> {
        LoadedRow { row, data }
    }
}
impl<M: Clone, S: Shape> Clone for LoadedRow<M, S>
where
    S::Data: Clone,
{
    fn clone(&self) -> LoadedRow<M, S> {
        LoadedRow { row: self.row.clone(), data: self.data.clone() }
    }
}
impl<M: fmt::Debug, S: Shape> fmt::Debug for LoadedRow<M, S>
where
    S::Data: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("row", &self.row).field("with", &self.data).finish()
    }
}
impl<M: PartialEq, S: Shape> PartialEq for LoadedRow<M, S>
where
    S::Data: PartialEq,
{
    fn eq(&self, other: &LoadedRow<M, S>) -> bool {
        self.row == other.row && self.data == other.data
    }
}

/// As the struct, with the loaded rows in the places of their relations.
impl<M: Serialize, S: SerializeShape> Serialize for LoadedRow<M, S> {
    fn serialize<O: Serializer>(&self, serializer: O) -> Result<O::Ok, O::Error> {
        self.row.serialize(Overlay::<O, S> { within: serializer, data: &self.data })
    }
}

/// FNV-1a of a field's name: how [`Loaded!`](crate::Loaded) finds a relation by its name.
pub const fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (mut hash, mut at) = (0xcbf2_9ce4_8422_2325u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The [`hash`] of the name of a relation. Of what is none, and of a field that is not there, the compiler says so, where it is named.
pub const fn loaded_name<V: LoadedName>(_: &V) -> u64 {
    V::HASH
}

/// `Loaded![Post { author, tags, comments { author } }]`: the type of the rows of a query with exactly this `.with(..)`, in
/// this order.
#[macro_export]
macro_rules! Loaded {
    (@with $M:ty, $($f:ident $({ $($n:tt)* })?),* $(,)?) => { $crate::With<($($crate::Loaded!(@one $M, $f $({ $($n)* })?),)*)> };
    (@rel $M:ty, $f:ident) => { <$M as $crate::RelAt<{ $crate::loaded_name(&<$M as $crate::Model>::FIELDS.$f) }>>::Rel };
    (@one $M:ty, $f:ident) => { $crate::Of<$crate::Loaded!(@rel $M, $f), $crate::Bare> };
    (@one $M:ty, $f:ident { $($n:tt)* }) => {
        $crate::Of<$crate::Loaded!(@rel $M, $f), $crate::Loaded!(@with <$crate::Loaded!(@rel $M, $f) as $crate::Relation>::Target, $($n)*)>
    };
    ($M:ident { $($n:tt)* }) => { <$M as $crate::Model>::Loaded<$crate::Loaded!(@with $M, $($n)*)> };
    ($M:path { $($n:tt)* }) => { <$M as $crate::Model>::Loaded<$crate::Loaded!(@with $M, $($n)*)> };
}

/// What every `PostLoaded<S>` has: `Deref` to the struct, [`Row`](crate::Row), and `Clone`, `Debug`, `PartialEq` and serde's
/// `Serialize` where the struct has them. With `PostFields` in the middle also what the struct and its fields have: `Row`, and `Copy`. Generated code
/// calls this.
#[doc(hidden)]
#[macro_export]
macro_rules! __loaded_impls {
    ($Model:ty, $Fields:ident, $Loaded:ident) => {
        impl $crate::Row for $Model {
            type Model = $Model;
            fn row(&self) -> &$Model {
                self
            }
        }
        impl ::core::marker::Copy for $Fields {}
        #[automatically_derived]
        impl ::core::clone::Clone for $Fields {
            fn clone(&self) -> Self {
                *self
            }
        }
        $crate::__loaded_impls!($Model, $Loaded);
    };
    ($Model:ty, $Loaded:ident) => {
        impl<Shape_: $crate::Shape> ::core::ops::Deref for $Loaded<Shape_> {
            type Target = $Model;
            fn deref(&self) -> &$Model {
                &self.0.row
            }
        }
        impl<Shape_: $crate::Shape> $crate::Row for $Loaded<Shape_> {
            type Model = $Model;
            fn row(&self) -> &$Model {
                &self.0.row
            }
        }
        impl<Shape_: $crate::Shape> ::core::clone::Clone for $Loaded<Shape_>
        where
            $crate::LoadedRow<$Model, Shape_>: ::core::clone::Clone,
        {
            fn clone(&self) -> Self {
                $Loaded(::core::clone::Clone::clone(&self.0))
            }
        }
        impl<Shape_: $crate::Shape> ::core::fmt::Debug for $Loaded<Shape_>
        where
            $crate::LoadedRow<$Model, Shape_>: ::core::fmt::Debug,
        {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
        impl<Shape_: $crate::Shape> $crate::Serialize for $Loaded<Shape_>
        where
            $crate::LoadedRow<$Model, Shape_>: $crate::Serialize,
        {
            fn serialize<Serializer_: $crate::Serializer>(
                &self,
                serializer: Serializer_,
            ) -> ::core::result::Result<Serializer_::Ok, Serializer_::Error> {
                $crate::Serialize::serialize(&self.0, serializer)
            }
        }
        impl<Shape_: $crate::Shape> ::core::cmp::PartialEq for $Loaded<Shape_>
        where
            $crate::LoadedRow<$Model, Shape_>: ::core::cmp::PartialEq,
        {
            fn eq(&self, other: &Self) -> bool {
                ::core::cmp::PartialEq::eq(&self.0, &other.0)
            }
        }
    };
}
