//! [`Shape`]: what the rows of a query carry besides the model's own struct.

use crate::{DecodeError, Included, LoadedRow, Model, RawRow, Relation, Row, Slot};
use serde::{Serialize, ser::SerializeStruct};
use std::marker::PhantomData;

/// What a row carries besides the model's own struct: nothing ([`Bare`]), or what a `.with(..)` loaded ([`With`]).
pub trait Shape: 'static {
    /// The loaded rows.
    type Data: Send + Sync + 'static;
    /// Reads what a query loaded.
    ///
    /// # Errors
    /// If one of the rows does not decode.
    fn load(included: Vec<Included>) -> Result<Self::Data, DecodeError>;
}

/// The shape of a query without `.with(..)`.
pub struct Bare;
impl Shape for Bare {
    type Data = ();
    fn load(_: Vec<Included>) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// The shape of a query with a `.with(..)` of these relations.
pub struct With<T>(PhantomData<fn() -> T>);
impl<T: Parts> Shape for With<T> {
    type Data = T::Data;
    fn load(included: Vec<Included>) -> Result<T::Data, DecodeError> {
        T::load(included)
    }
}

/// One loaded relation, whose rows are of the shape `N`.
pub struct Of<R, N>(PhantomData<fn() -> (R, N)>);

/// Shapes whose loaded rows serde can write.
pub trait SerializeShape: Shape {
    /// The fields of the relations.
    const NAMES: &'static [&'static str];
    /// Writes the rows of one of them, under its name.
    ///
    /// # Errors
    /// If the serializer does not take them.
    fn write<O: SerializeStruct>(data: &Self::Data, name: &'static str, to: &mut O) -> Result<(), O::Error>;
}
impl<T: SerializeParts> SerializeShape for With<T> {
    const NAMES: &'static [&'static str] = T::NAMES;
    fn write<O: SerializeStruct>(data: &T::Data, name: &'static str, to: &mut O) -> Result<(), O::Error> {
        T::write(data, name, to)
    }
}

/// One relation of a `.with(..)`.
pub trait Part: 'static {
    /// The relation's field.
    const NAME: &'static str;
    /// Its rows.
    type Data: Send + Sync + 'static;
    /// Reads them.
    ///
    /// # Errors
    /// If one of them does not decode.
    fn load(included: Option<Included>) -> Result<Self::Data, DecodeError>;
}
impl<R: Relation, N: Yields<R::Target>> Part for Of<R, N> {
    const NAME: &'static str = R::NAME;
    type Data = <R::Slot as Slot>::Out<N::Row>;
    fn load(included: Option<Included>) -> Result<Self::Data, DecodeError> {
        let relation = (R::Source::DEF.name, R::NAME);
        let included =
            included.ok_or_else(|| DecodeError::new(relation.0, relation.1, "was asked for and not loaded"))?;
        R::Slot::load(included, relation, N::row)
    }
}

/// The relations of a `.with(..)`, in its order: a tuple of [`Of`].
pub trait Parts: 'static {
    /// Their rows.
    type Data: Send + Sync + 'static;
    /// Reads them.
    ///
    /// # Errors
    /// If one of them does not decode.
    fn load(included: Vec<Included>) -> Result<Self::Data, DecodeError>;
}

/// The same for the relations of a `.with(..)`: what [`SerializeShape`] is for a whole shape.
pub trait SerializeParts: Parts {
    /// The fields of the relations.
    const NAMES: &'static [&'static str];
    /// Writes the rows of one of them, under its name.
    ///
    /// # Errors
    /// If the serializer does not take them.
    fn write<O: SerializeStruct>(data: &Self::Data, name: &'static str, to: &mut O) -> Result<(), O::Error>;
}

/// The type of the rows of the model `M` that a query of this shape yields: the struct itself where nothing is loaded.
pub trait Yields<M: Model>: Shape {
    /// A row.
    type Row: Row<Model = M> + Send + Sync + 'static;
    /// Reads one.
    ///
    /// # Errors
    /// If the record, or one that was loaded with it, does not decode.
    fn row(raw: RawRow) -> Result<Self::Row, DecodeError>;
}
impl<M: Model> Yields<M> for Bare {
    type Row = M;
    fn row(raw: RawRow) -> Result<M, DecodeError> {
        M::decode(&raw.record)
    }
}
impl<M: Model, T: Parts> Yields<M> for With<T> {
    type Row = M::Loaded<With<T>>;
    fn row(raw: RawRow) -> Result<M::Loaded<With<T>>, DecodeError> {
        let row = M::decode(&raw.record)?;
        Ok(M::loaded(LoadedRow::new(row, T::load(raw.included)?)))
    }
}

/// The position of a relation in a `.with(..)`.
pub struct Here<const N: usize>;

/// Shapes in which the relation `R` is loaded, at the position `I`.
#[diagnostic::on_unimplemented(message = "relation `{R}` was not loaded by this query")]
pub trait Has<R: Relation, I>: Shape {
    /// The shape of its rows.
    type Nested: Yields<R::Target>;
    /// Its rows.
    fn get(data: &Self::Data) -> &<R::Slot as Slot>::Out<<Self::Nested as Yields<R::Target>>::Row>;
}

macro_rules! parts {
    ($($($name:ident $at:tt)*;)*) => { $(
        impl<$($name: Part),*> Parts for ($($name,)*) {
            type Data = ($($name::Data,)*);
            fn load(included: Vec<Included>) -> Result<Self::Data, DecodeError> {
                let mut included = included.into_iter();
                Ok(($($name::load(included.next())?,)*))
            }
        }
        impl<$($name: Part<Data: Serialize>),*> SerializeParts for ($($name,)*) {
            const NAMES: &'static [&'static str] = &[$($name::NAME),*];
            fn write<Out: SerializeStruct>(data: &Self::Data, name: &'static str, to: &mut Out) -> Result<(), Out::Error> {
                $(if name == $name::NAME {
                    return to.serialize_field(name, &data.$at);
                })*
                Ok(())
            }
        }
    )* };
}
parts! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
}

macro_rules! has {
    ($($at:tt [$($before:ident)*] [$($after:ident)*];)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<__R: Relation, __N: Yields<__R::Target>, $($before: Part,)* $($after: Part,)*> Has<__R, Here<$at>>
            for With<($($before,)* Of<__R, __N>, $($after,)*)>
        {
            type Nested = __N;
            fn get(data: &Self::Data) -> &<__R::Slot as Slot>::Out<__N::Row> {
                &data.$at
            }
        }
    )* };
}
has! {
    0 [] [];
    0 [] [B];
    1 [A] [];
    0 [] [B C];
    1 [A] [C];
    2 [A B] [];
    0 [] [B C D];
    1 [A] [C D];
    2 [A B] [D];
    3 [A B C] [];
    0 [] [B C D E];
    1 [A] [C D E];
    2 [A B] [D E];
    3 [A B C] [E];
    4 [A B C D] [];
    0 [] [B C D E F];
    1 [A] [C D E F];
    2 [A B] [D E F];
    3 [A B C] [E F];
    4 [A B C D] [F];
    5 [A B C D E] [];
    0 [] [B C D E F G];
    1 [A] [C D E F G];
    2 [A B] [D E F G];
    3 [A B C] [E F G];
    4 [A B C D] [F G];
    5 [A B C D E] [G];
    6 [A B C D E F] [];
    0 [] [B C D E F G H];
    1 [A] [C D E F G H];
    2 [A B] [D E F G H];
    3 [A B C] [E F G H];
    4 [A B C D] [F G H];
    5 [A B C D E] [G H];
    6 [A B C D E F] [H];
    7 [A B C D E F G] [];
    0 [] [B C D E F G H I];
    1 [A] [C D E F G H I];
    2 [A B] [D E F G H I];
    3 [A B C] [E F G H I];
    4 [A B C D] [F G H I];
    5 [A B C D E] [G H I];
    6 [A B C D E F] [H I];
    7 [A B C D E F G] [I];
    8 [A B C D E F G H] [];
    0 [] [B C D E F G H I J];
    1 [A] [C D E F G H I J];
    2 [A B] [D E F G H I J];
    3 [A B C] [E F G H I J];
    4 [A B C D] [F G H I J];
    5 [A B C D E] [G H I J];
    6 [A B C D E F] [H I J];
    7 [A B C D E F G] [I J];
    8 [A B C D E F G H] [J];
    9 [A B C D E F G H I] [];
    0 [] [B C D E F G H I J K];
    1 [A] [C D E F G H I J K];
    2 [A B] [D E F G H I J K];
    3 [A B C] [E F G H I J K];
    4 [A B C D] [F G H I J K];
    5 [A B C D E] [G H I J K];
    6 [A B C D E F] [H I J K];
    7 [A B C D E F G] [I J K];
    8 [A B C D E F G H] [J K];
    9 [A B C D E F G H I] [K];
    10 [A B C D E F G H I J] [];
    0 [] [B C D E F G H I J K L];
    1 [A] [C D E F G H I J K L];
    2 [A B] [D E F G H I J K L];
    3 [A B C] [E F G H I J K L];
    4 [A B C D] [F G H I J K L];
    5 [A B C D E] [G H I J K L];
    6 [A B C D E F] [H I J K L];
    7 [A B C D E F G] [I J K L];
    8 [A B C D E F G H] [J K L];
    9 [A B C D E F G H I] [K L];
    10 [A B C D E F G H I J] [L];
    11 [A B C D E F G H I J K] [];
}
