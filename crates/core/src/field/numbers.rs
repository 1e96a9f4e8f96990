//! [`Field`] for numbers.

use super::Field;
use crate::{FieldError, Kind, Value};

macro_rules! integers {
    ($($integer:ident $article:literal),*) => { $(
        impl Field for $integer {
            const KIND: Kind = Kind::Int { min: $integer::MIN as i128, max: $integer::MAX as i128 };

            fn encode(&self) -> Result<Value, FieldError> {
                Ok(Value::from(*self))
            }
            fn decode(value: &Value) -> Result<$integer, FieldError> {
                decode_integer(value, concat!($article, " `", stringify!($integer), "`"))
            }
        }
    )* };
}
integers!(i8 "an", i16 "an", i32 "an", i64 "an", u16 "a", u32 "a", u64 "a");

impl Field for u8 {
    const KIND: Kind = Kind::Int { min: 0, max: 255 };
    const LIST: Kind = Kind::Bytes;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(*self))
    }
    fn decode(value: &Value) -> Result<u8, FieldError> {
        decode_integer(value, "a `u8`")
    }
    fn encode_list(list: &[u8]) -> Result<Value, FieldError> {
        Ok(Value::Bytes(list.to_vec()))
    }
    fn decode_list(value: &Value) -> Result<Vec<u8>, FieldError> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.clone()),
            other => Err(FieldError::wrong_kind(other, "bytes")),
        }
    }
}

fn decode_integer<T: TryFrom<i128>>(value: &Value, wanted: &str) -> Result<T, FieldError> {
    match value {
        Value::Int(int) => {
            T::try_from(*int).map_err(|_| FieldError::new(format!("holds {int}, which does not fit {wanted}")))
        }
        other => Err(FieldError::wrong_kind(other, wanted)),
    }
}

impl Field for f64 {
    const KIND: Kind = Kind::Float;

    fn encode(&self) -> Result<Value, FieldError> {
        if self.is_finite() {
            Ok(Value::float(*self))
        } else {
            Err(FieldError::new(format!("is {self}, which has no stored form: only finite numbers are stored")))
        }
    }
    fn decode(value: &Value) -> Result<f64, FieldError> {
        value.as_number().ok_or_else(|| FieldError::wrong_kind(value, "a float"))
    }
    fn operand(&self) -> Option<Value> {
        // an infinity is no stored value, but stored ones are smaller or larger
        (!self.is_nan()).then(|| Value::float(*self))
    }
}

impl Field for f32 {
    const KIND: Kind = Kind::Float;

    fn encode(&self) -> Result<Value, FieldError> {
        f64::from(*self).encode()
    }
    fn decode(value: &Value) -> Result<f32, FieldError> {
        f64::decode(value).map(|float| float as f32)
    }
    fn operand(&self) -> Option<Value> {
        f64::from(*self).operand()
    }
}

#[cfg(feature = "decimal")]
impl Field for rust_decimal::Decimal {
    const KIND: Kind = Kind::Decimal;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(self.to_string()))
    }
    fn decode(value: &Value) -> Result<rust_decimal::Decimal, FieldError> {
        match value {
            Value::Text(text) => {
                text.parse().map_err(|e| FieldError::new(format!("holds `{text}`, which is no decimal: {e}")))
            }
            other => Err(FieldError::wrong_kind(other, "a decimal")),
        }
    }
}
