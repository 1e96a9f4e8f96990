//! Columns of `#[field(serde)]`: any type that serde can write and read.

use crate::{FieldError, Value};
use serde::{
    Deserializer, Serialize,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{
            BytesDeserializer, Error as Unreadable, MapAccessDeserializer, MapDeserializer, SeqDeserializer,
            StrDeserializer,
        },
    },
};

/// The stored form of a value, through its `Serialize`.
///
/// # Errors
/// If it does not serialize, or into what has no stored form: NaN, an infinity, keys that are no text.
pub fn encode_serde<T: Serialize>(value: &T) -> Result<Value, FieldError> {
    let ipld = ipld_core::serde::to_ipld(value).map_err(|e| FieldError::new(format!("does not serialize: {e}")))?;
    from_ipld(ipld)
}

/// Reads the stored form of a value, through its `Deserialize`.
///
/// # Errors
/// If it does not deserialize.
pub fn decode_serde<T: DeserializeOwned>(value: &Value) -> Result<T, FieldError> {
    T::deserialize(StoredValue(value)).map_err(|e: Unreadable| FieldError::new(format!("does not deserialize: {e}")))
}

fn from_ipld(ipld: ipld_core::ipld::Ipld) -> Result<Value, FieldError> {
    use ipld_core::ipld::Ipld;
    Ok(match ipld {
        Ipld::Null => Value::Null,
        Ipld::Bool(value) => Value::Bool(value),
        Ipld::Integer(int) if (-(1 << 64)..1 << 64).contains(&int) => Value::Int(int),
        Ipld::Integer(int) => return Err(FieldError::new(format!("holds {int}, which does not fit 64 bits"))),
        Ipld::Float(float) if float.is_finite() => Value::float(float),
        Ipld::Float(float) => {
            return Err(FieldError::new(format!(
                "holds {float}, which has no stored form: only finite numbers are stored"
            )));
        }
        Ipld::String(text) => Value::from(text),
        Ipld::Bytes(bytes) => Value::Bytes(bytes),
        Ipld::List(list) => Value::List(list.into_iter().map(from_ipld).collect::<Result<_, _>>()?),
        Ipld::Map(map) => Value::Map(
            map.into_iter().map(|(key, value)| Ok((key, from_ipld(value)?))).collect::<Result<_, FieldError>>()?,
        ),
        Ipld::Link(cid) => Value::from(cid),
    })
}

/// Reads a stored value: unlike other decoders it gives an integer where a float is wanted, since a whole float is stored as
/// one.
struct StoredValue<'v>(&'v Value);

impl<'v> IntoDeserializer<'v, Unreadable> for StoredValue<'v> {
    type Deserializer = StoredValue<'v>;
    fn into_deserializer(self) -> StoredValue<'v> {
        self
    }
}

impl<'de> Deserializer<'de> for StoredValue<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(int) => match (u64::try_from(*int), i64::try_from(*int)) {
                (Ok(int), _) => visitor.visit_u64(int),
                (_, Ok(int)) => visitor.visit_i64(int),
                _ => visitor.visit_i128(*int),
            },
            Value::Float(float) => visitor.visit_f64(*float),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::List(list) => visitor.visit_seq(SeqDeserializer::new(list.iter().map(StoredValue))),
            Value::Map(map) => {
                visitor.visit_map(MapDeserializer::new(map.iter().map(|(key, value)| (key, StoredValue(value)))))
            }
            Value::Link(cid) => visitor.visit_string(cid.to_string()),
        }
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unreadable> {
        match self.0 {
            // how a `Cid` asks for itself
            Value::Link(cid) => visitor.visit_newtype_struct(BytesDeserializer::new(&cid.to_bytes())),
            _ => visitor.visit_newtype_struct(self),
        }
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(StrDeserializer::new(text)),
            Value::Map(map) => visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(
                map.iter().map(|(key, value)| (key, StoredValue(value))),
            ))),
            _ => self.deserialize_any(visitor),
        }
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Place {
        name: String,
        at: (f64, f64),
        tags: Option<Vec<String>>,
        kind: Kind,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Town,
        Lake { depth: f32 },
    }

    #[test]
    fn a_whole_float_comes_back_as_a_float() {
        let place = Place { name: "x".into(), at: (3.0, -1.5), tags: None, kind: Kind::Lake { depth: 2.0 } };
        let stored = encode_serde(&place).unwrap();
        let bytes = stored.to_dag_cbor().unwrap();
        assert_eq!(decode_serde::<Place>(&Value::from_dag_cbor(&bytes).unwrap()).unwrap(), place);
        let town = Place { tags: Some(vec!["a".into()]), kind: Kind::Town, ..place };
        assert_eq!(decode_serde::<Place>(&encode_serde(&town).unwrap()).unwrap(), town);
    }

    #[test]
    fn what_has_no_stored_form_is_refused() {
        assert!(encode_serde(&f64::NAN).is_err());
        assert!(encode_serde(&u128::MAX).is_err());
    }
}
