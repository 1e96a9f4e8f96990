//! [`Path`]: a column of a model, and the predicates and orders that begin with one.

use crate::{
    Compare, Expr, Field, FieldError, Filter, Id, IntoValue, Sort, SortKey, TextTest, Timestamp, UserId, Value,
    decode_serde, encode_serde,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, marker::PhantomData};

/// The kind of a column that callers set as they like.
pub struct Plain;
/// The kind of a column that may be set when a record is created, and never after: `#[field(created)]`, shard keys.
pub struct AtCreation;
/// The kind of a column that callers never set: keys, `#[field(updated)]`, `#[field(owner)]`.
pub struct ReadOnly;
/// The kind of a column of `#[field(serde)]`.
pub struct ViaSerde;

/// Kinds of columns that an update may set.
#[diagnostic::on_unimplemented(
    message = "this field is read-only",
    label = "no update sets it",
    note = "keys, shard keys, `#[field(created)]`, `#[field(updated)]` and `#[field(owner)]` fields cannot be assigned in an update"
)]
pub trait Settable {}
impl Settable for Plain {}
impl Settable for ViaSerde {}

/// Kinds of columns that may be set when a record is created.
#[diagnostic::on_unimplemented(
    message = "this field is read-only",
    label = "filled by debros",
    note = "generated keys, `#[field(updated)]` and `#[field(owner)]` fields are filled by debros; a natural key stands in the `New..` struct"
)]
pub trait SettableAtCreation {}
impl SettableAtCreation for Plain {}
impl SettableAtCreation for AtCreation {}
impl SettableAtCreation for ViaSerde {}

/// How the values of a column of this kind are stored.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold `{T}`",
    label = "this type has no stored form",
    note = "`#[derive(Value)]` gives one to your own enums and structs; `#[field(serde)]` stores any type that implements `Serialize` and `Deserialize`"
)]
pub trait Codec<T> {
    /// The stored form.
    ///
    /// # Errors
    /// If it has none.
    fn encode(value: &T) -> Result<Value, FieldError>;
    /// Reads the stored form.
    ///
    /// # Errors
    /// If it does not decode.
    fn decode(value: &Value) -> Result<T, FieldError>;
    /// The value to compare stored ones with; see [`Field::operand`].
    fn operand(value: &T) -> Option<Value>;
}
macro_rules! by_field {
    ($($kind:ident)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<T: Field> Codec<T> for $kind {
            fn encode(value: &T) -> Result<Value, FieldError> {
                value.encode()
            }
            fn decode(value: &Value) -> Result<T, FieldError> {
                T::decode(value)
            }
            fn operand(value: &T) -> Option<Value> {
                value.operand()
            }
        }
    )* };
}
by_field!(Plain AtCreation ReadOnly);
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Codec<T> for ViaSerde {
    fn encode(value: &T) -> Result<Value, FieldError> {
        encode_serde(value)
    }
    fn decode(value: &Value) -> Result<T, FieldError> {
        decode_serde(value)
    }
    fn operand(value: &T) -> Option<Value> {
        encode_serde(value).ok()
    }
}

/// Types whose values have an order. Text and bytes sort by their bytes, absent values first.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no order, so it cannot be sorted or range-compared",
    label = "numbers, text, bytes, ids and moments have an order"
)]
pub trait Ordered {}
macro_rules! ordered { ($($t:ty),*) => { $(impl Ordered for $t {})* } }
ordered!(bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String, Vec<u8>, Timestamp, UserId);
#[cfg(feature = "uuid")]
impl Ordered for uuid::Uuid {}
#[cfg(feature = "decimal")]
impl Ordered for rust_decimal::Decimal {}
impl<M> Ordered for Id<M> {}
#[diagnostic::do_not_recommend]
impl<T: Ordered> Ordered for Option<T> {}

/// `String` and `Option<String>`: what text tests are for.
#[diagnostic::on_unimplemented(message = "`{Self}` is no text", label = "text tests are for `String` fields")]
pub trait Text {}
impl Text for String {}
impl Text for Option<String> {}

/// Types of fields that may be absent: every `Option`.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is always there",
    label = "only an `Option` may be absent"
)]
pub trait MayBeAbsent {}
impl<T> MayBeAbsent for Option<T> {}

/// Lists: what [`Path::has`] is for.
#[diagnostic::on_unimplemented(message = "`{Self}` is no list", label = "`has` asks whether a list holds an element")]
pub trait List {
    /// What the list holds.
    type Element: Field;
}
impl<T: Field> List for Vec<T> {
    type Element = T;
}
impl<T: Field> List for Option<Vec<T>> {
    type Element = T;
}

/// A column of the model `M` that holds a `T`; `K` says who may set it. `Post::FIELDS.title` is one, and closures such as
/// `.filter(|p| p.title.eq("Hi"))` get them all.
pub struct Path<M, T, K = Plain>(&'static str, Phantom<M, T, K>);

type Phantom<M, T, K> = PhantomData<fn() -> (M, T, K)>;

impl<M, T, K> Clone for Path<M, T, K> {
    fn clone(&self) -> Path<M, T, K> {
        *self
    }
}
impl<M, T, K> Copy for Path<M, T, K> {}
impl<M, T, K> fmt::Debug for Path<M, T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<M, T, K> Path<M, T, K> {
    /// The column of this name. Generated code makes these; a name that the model lacks is an error when a query runs.
    pub const fn new(name: &'static str) -> Path<M, T, K> {
        Path(name, PhantomData)
    }

    /// The field's name.
    pub const fn name(self) -> &'static str {
        self.0
    }

    fn compare(self, op: Compare, value: impl IntoValue<T>) -> Filter<M>
    where
        K: Codec<T>,
    {
        Filter::new(match K::operand(&value.into_value()) {
            Some(value) => Expr::Compare { field: self.0, op, value },
            // nothing that is stored is equal to it, smaller or larger
            None if op == Compare::Ne => Expr::Always,
            None => Expr::Or(Vec::new()),
        })
    }

    /// Does the field hold this value? An absent field holds none, but `eq(None)` asks for absence.
    pub fn eq(self, value: impl IntoValue<T>) -> Filter<M>
    where
        K: Codec<T>,
    {
        self.compare(Compare::Eq, value)
    }

    /// Does the field not hold this value? True of an absent field.
    pub fn ne(self, value: impl IntoValue<T>) -> Filter<M>
    where
        K: Codec<T>,
    {
        self.compare(Compare::Ne, value)
    }

    /// Is the field's value smaller? False of an absent field.
    pub fn lt(self, value: impl IntoValue<T>) -> Filter<M>
    where
        T: Ordered,
        K: Codec<T>,
    {
        self.compare(Compare::Lt, value)
    }

    /// Is the field's value smaller or equal? False of an absent field.
    pub fn le(self, value: impl IntoValue<T>) -> Filter<M>
    where
        T: Ordered,
        K: Codec<T>,
    {
        self.compare(Compare::Le, value)
    }

    /// Is the field's value larger? False of an absent field.
    pub fn gt(self, value: impl IntoValue<T>) -> Filter<M>
    where
        T: Ordered,
        K: Codec<T>,
    {
        self.compare(Compare::Gt, value)
    }

    /// Is the field's value larger or equal? False of an absent field.
    pub fn ge(self, value: impl IntoValue<T>) -> Filter<M>
    where
        T: Ordered,
        K: Codec<T>,
    {
        self.compare(Compare::Ge, value)
    }

    /// Is the field's value one of these? False of an absent field.
    pub fn one_of<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        K: Codec<T>,
    {
        let values = values.into_iter().filter_map(|value| K::operand(&value.into_value())).collect();
        Filter::new(Expr::OneOf { field: self.0, values })
    }

    /// Is the field's value none of these? True of an absent field.
    pub fn none_of<V: IntoValue<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        K: Codec<T>,
    {
        !self.one_of(values)
    }

    /// Smallest first, absent ones before all.
    pub fn asc(self) -> Sort<M>
    where
        T: Ordered,
    {
        Sort::new(SortKey { field: self.0, descending: false })
    }

    /// Largest first, absent ones last.
    pub fn desc(self) -> Sort<M>
    where
        T: Ordered,
    {
        Sort::new(SortKey { field: self.0, descending: true })
    }

    fn text(self, op: TextTest, needle: &str) -> Filter<M> {
        Filter::new(Expr::Text { field: self.0, op, needle: needle.to_owned() })
    }

    /// Does the text stand somewhere in the field's? Tells upper from lower case. False of an absent field.
    pub fn contains(self, needle: &str) -> Filter<M>
    where
        T: Text,
    {
        self.text(TextTest::Contains, needle)
    }

    /// Does the field's text begin with this one? An index on the field answers it.
    pub fn starts_with(self, needle: &str) -> Filter<M>
    where
        T: Text,
    {
        self.text(TextTest::StartsWith, needle)
    }

    /// Does the field's text end with this one?
    pub fn ends_with(self, needle: &str) -> Filter<M>
    where
        T: Text,
    {
        self.text(TextTest::EndsWith, needle)
    }

    /// Does the field's list hold this element? False of an absent field.
    pub fn has(self, element: impl IntoValue<T::Element>) -> Filter<M>
    where
        T: List,
    {
        Filter::new(match element.into_value().operand() {
            Some(value) => Expr::Has { field: self.0, value },
            None => Expr::Or(Vec::new()),
        })
    }

    /// Is the field absent?
    pub fn is_none(self) -> Filter<M>
    where
        T: MayBeAbsent,
    {
        Filter::new(Expr::IsNone { field: self.0 })
    }

    /// Is the field there?
    pub fn is_some(self) -> Filter<M>
    where
        T: MayBeAbsent,
    {
        !self.is_none()
    }
}
