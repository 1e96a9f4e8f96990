//! [`Field`]: what a column can hold.

mod numbers;
mod others;
mod via_serde;

pub use via_serde::{decode_serde, encode_serde};

use crate::{FieldError, Kind, Value};

/// What a column can hold: the types of the book's table, and your own enums and structs by `#[derive(Value)]`.
///
/// Any other type that implements serde's traits is stored by `#[field(serde)]`.
#[diagnostic::on_unimplemented(
    message = "a column cannot hold `{Self}`",
    label = "this type has no stored form",
    note = "`#[derive(Value)]` gives one to your own enums and structs; `#[field(serde)]` stores any type that implements `Serialize` and `Deserialize`"
)]
pub trait Field: Sized {
    /// What the column holds, without the `Option`.
    const KIND: Kind;
    /// May it be absent?
    const OPTIONAL: bool = false;
    /// All of this, for the schema of a model.
    #[doc(hidden)]
    const COLUMN: Column = Column { kind: Self::KIND, optional: Self::OPTIONAL, shape: Self::shape };
    /// What a list of these is: bytes, for `u8`.
    #[doc(hidden)]
    const LIST: Kind = Kind::List;

    /// The stored form.
    ///
    /// # Errors
    /// If it has none: NaN, an infinity.
    fn encode(&self) -> Result<Value, FieldError>;

    /// Reads the stored form.
    ///
    /// # Errors
    /// If the value is of another kind, or out of range.
    fn decode(value: &Value) -> Result<Self, FieldError>;

    /// The value to compare stored ones with; `None` if no stored one can be equal to it, smaller or larger, as with NaN.
    fn operand(&self) -> Option<Value> {
        self.encode().ok()
    }

    /// What else decides how the column is stored and read: a hash over the names within enums and structs, to this depth, 0
    /// for all other types. Where it changes, what was derived from stored records is made anew.
    fn shape(depth: u8) -> u64 {
        let _ = depth;
        0
    }

    #[doc(hidden)]
    fn encode_list(list: &[Self]) -> Result<Value, FieldError> {
        let encode = |(at, one): (usize, &Self)| one.encode().map_err(|e| e.within(&at.to_string()));
        list.iter().enumerate().map(encode).collect::<Result<_, _>>().map(Value::List)
    }

    #[doc(hidden)]
    fn decode_list(value: &Value) -> Result<Vec<Self>, FieldError> {
        match value {
            Value::List(list) => {
                let decode = |(at, one): (usize, &Value)| Self::decode(one).map_err(|e| e.within(&at.to_string()));
                list.iter().enumerate().map(decode).collect()
            }
            other => Err(FieldError::wrong_kind(other, "a list")),
        }
    }
}

/// What a type says of the columns that hold it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// [`Field::KIND`].
    pub kind: Kind,
    /// [`Field::OPTIONAL`].
    pub optional: bool,
    /// [`Field::shape`].
    pub shape: fn(depth: u8) -> u64,
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn encode(&self) -> Result<Value, FieldError> {
        self.as_ref().map_or(Ok(Value::Null), T::encode)
    }
    fn decode(value: &Value) -> Result<Option<T>, FieldError> {
        if value.is_null() { Ok(None) } else { T::decode(value).map(Some) }
    }
    fn operand(&self) -> Option<Value> {
        self.as_ref().map_or(Some(Value::Null), T::operand)
    }
    fn shape(depth: u8) -> u64 {
        T::shape(depth)
    }
}

impl<T: Field> Field for Vec<T> {
    const KIND: Kind = T::LIST;

    fn encode(&self) -> Result<Value, FieldError> {
        T::encode_list(self)
    }
    fn decode(value: &Value) -> Result<Vec<T>, FieldError> {
        T::decode_list(value)
    }
    fn shape(depth: u8) -> u64 {
        shape_of_part(0, "list", T::COLUMN, depth)
    }
}

/// The shape of a type that has a part of this name and type, beside what `shape` says of the parts before; types within
/// types are followed to this depth. Generated code calls this.
pub fn shape_of_part(shape: u64, part: &str, column: Column, depth: u8) -> u64 {
    let Column { kind, optional, shape: within } = column;
    let within = depth.checked_sub(1).map_or(0, within);
    crate::hash(&format!("{shape} {part} {kind:?} {optional} {within}"))
}

/// The shape of an enum that has a variant of this stored name, beside what `shape` says of those before. Generated code calls
/// this.
pub fn shape_of_variant(shape: u64, variant: &str) -> u64 {
    crate::hash(&format!("{shape} {variant}"))
}
