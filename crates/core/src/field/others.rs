//! [`Field`] for texts, truth values, maps and UUIDs.

use super::{Field, shape_of_part};
use crate::{FieldError, Kind, Map, Value};
use std::{
    collections::{BTreeMap, HashMap},
    hash::BuildHasher,
};

impl Field for bool {
    const KIND: Kind = Kind::Bool;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::Bool(*self))
    }
    fn decode(value: &Value) -> Result<bool, FieldError> {
        match value {
            Value::Bool(value) => Ok(*value),
            other => Err(FieldError::wrong_kind(other, "a bool")),
        }
    }
}

impl Field for String {
    const KIND: Kind = Kind::Text;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(self.as_str()))
    }
    fn decode(value: &Value) -> Result<String, FieldError> {
        match value {
            Value::Text(text) => Ok(text.clone().into_owned()),
            other => Err(FieldError::wrong_kind(other, "text")),
        }
    }
}

fn encode_map<'m, T: Field + 'm>(entries: impl Iterator<Item = (&'m String, &'m T)>) -> Result<Value, FieldError> {
    let encode = |(key, value): (&String, &T)| Ok((key.clone(), value.encode().map_err(|e| e.within(key))?));
    entries.map(encode).collect::<Result<Map, _>>().map(Value::Map)
}

fn decode_map<T: Field, C: FromIterator<(String, T)>>(value: &Value) -> Result<C, FieldError> {
    match value {
        Value::Map(map) => {
            let decode =
                |(key, value): (&str, &Value)| Ok((key.to_owned(), T::decode(value).map_err(|e| e.within(key))?));
            map.iter().map(decode).collect()
        }
        other => Err(FieldError::wrong_kind(other, "a map")),
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    const KIND: Kind = Kind::Map;

    fn encode(&self) -> Result<Value, FieldError> {
        encode_map(self.iter())
    }
    fn decode(value: &Value) -> Result<BTreeMap<String, T>, FieldError> {
        decode_map(value)
    }
    fn shape(depth: u8) -> u64 {
        shape_of_part(0, "map", T::COLUMN, depth)
    }
}

impl<T: Field, S: BuildHasher + Default> Field for HashMap<String, T, S> {
    const KIND: Kind = Kind::Map;

    fn encode(&self) -> Result<Value, FieldError> {
        encode_map(self.iter())
    }
    fn decode(value: &Value) -> Result<HashMap<String, T, S>, FieldError> {
        decode_map(value)
    }
    fn shape(depth: u8) -> u64 {
        shape_of_part(0, "map", T::COLUMN, depth)
    }
}

#[cfg(feature = "uuid")]
impl Field for uuid::Uuid {
    const KIND: Kind = Kind::Uuid;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(self.hyphenated().to_string()))
    }
    fn decode(value: &Value) -> Result<uuid::Uuid, FieldError> {
        match value {
            Value::Text(text) => uuid::Uuid::try_parse(text)
                .map_err(|e| FieldError::new(format!("holds `{text}`, which is no UUID: {e}"))),
            other => Err(FieldError::wrong_kind(other, "a UUID")),
        }
    }
}
