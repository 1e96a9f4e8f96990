//! [`Value`]: what a stored field can hold.

use crate::Map;
use cid::{Cid, serde::BytesToCidVisitor};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
    ser::{SerializeMap as _, SerializeSeq as _},
};
use std::{borrow::Cow, fmt};

/// The largest integer that a JavaScript number holds exactly, 2^53 - 1.
pub const MAX_SAFE_INTEGER: i128 = (1 << 53) - 1;

/// A value of the DAG-CBOR data model: what a stored record is made of.
///
/// A `Value` is already in the form that JavaScript's signatures force: [`Value::float`] turns a whole float of up
/// to 2^53 - 1 into an integer and -0.0 into 0, because a JavaScript peer verifies a signature by decoding an entry and
/// encoding it again, and would write it so.
///
/// ```
/// use debros_core::Value;
///
/// assert_eq!(Value::float(3.0), Value::Int(3));
/// assert_eq!(Value::float(0.5), Value::Float(0.5));
/// let bytes = Value::from("hello").to_dag_cbor().unwrap();
/// assert_eq!(Value::from_dag_cbor(&bytes).unwrap(), Value::from("hello"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Absence. A `None` is stored as this, and read from this or from a missing field.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer. What is written fits 64 bits; DAG-CBOR's range, -2^64 to 2^64 - 1, can be read.
    Int(i128),
    /// A float that is not whole, or whole and beyond 2^53 - 1. Never NaN, infinite or -0.0 in what is written.
    Float(f64),
    /// UTF-8 text.
    Text(Cow<'static, str>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map with text keys.
    Map(Map),
    /// A link to a block (CBOR tag 42).
    Link(Box<Cid>),
}

impl Value {
    /// The value of a float, in the form that JavaScript would write: whole numbers up to 2^53 - 1 are integers.
    pub fn float(number: f64) -> Value {
        if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER as f64 {
            Value::Int(number as i128)
        } else {
            Value::Float(number)
        }
    }

    /// The value of a text that lives as long as the program, without copying it.
    pub const fn text(text: &'static str) -> Value {
        Value::Text(Cow::Borrowed(text))
    }

    /// Is this [`Value::Null`]?
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Value::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// The number, if it is one, as a float: exact for floats and for integers up to 2^53.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Int(int) => Some(*int as f64),
            Value::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What kind of value this is, in a word for error messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Link(_) => "a link",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(Cow::Owned(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(Cow::Owned(value))
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::float(value)
    }
}
impl From<Map> for Value {
    fn from(value: Map) -> Value {
        Value::Map(value)
    }
}
impl From<Cid> for Value {
    fn from(value: Cid) -> Value {
        Value::Link(Box::new(value))
    }
}
impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Value {
        Value::List(value)
    }
}
macro_rules! from_integers {
    ($($integer:ty),*) => { $(
        impl From<$integer> for Value {
            fn from(value: $integer) -> Value {
                Value::Int(value.into())
            }
        }
    )* };
}
from_integers!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_u64(value),
                (_, Ok(value)) => serializer.serialize_i64(value),
                _ => serializer.serialize_i128(*value),
            },
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::Bytes(value) => serializer.serialize_bytes(value),
            Value::List(list) => {
                let mut seq = serializer.serialize_seq(Some(list.len()))?;
                for value in list {
                    seq.serialize_element(value)?;
                }
                seq.end()
            }
            Value::Map(map) => map.serialize(serializer),
            Value::Link(cid) => cid.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a DAG-CBOR value")
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Int(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.to_vec()))
    }
    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(1024));
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::with_capacity(access.size_hint().unwrap_or(0).min(1024));
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            if map.insert(key.clone(), value).is_some() {
                return Err(de::Error::custom(format!("the key `{key}` stands twice in a map")));
            }
        }
        Ok(Value::Map(map))
    }
    // serde's data model has no links: DAG-CBOR's decoder hands tag 42 over as a newtype
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_bytes(BytesToCidVisitor).map(Value::from)
    }
}
