//! [`UserId`]: who a user is.

use crate::{Field, FieldError, Kind, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// A user: their public root key (secp256k1, compressed). As text 66 lower-case hexadecimal digits, which is the id of
/// an OrbitDB identity.
///
/// ```
/// use debros_core::UserId;
///
/// let user = UserId::from_bytes([2; 33]);
/// assert_eq!(user.to_string().parse::<UserId>().unwrap(), user);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId([u8; 33]);

impl UserId {
    /// The user of this compressed public key. Whether the bytes are a point of the curve shows where a signature is checked.
    pub const fn from_bytes(bytes: [u8; 33]) -> UserId {
        UserId(bytes)
    }

    /// The compressed public key.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [`UserId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no user id: expected 66 lower-case hexadecimal digits that begin with 02 or 03")]
pub struct NotAUserId(pub String);

impl FromStr for UserId {
    type Err = NotAUserId;

    fn from_str(text: &str) -> Result<UserId, NotAUserId> {
        let parse = || {
            let digits = text.as_bytes();
            if digits.len() != 66 {
                return None;
            }
            let digit = |byte: u8| match byte {
                b'0'..=b'9' => Some(byte - b'0'),
                b'a'..=b'f' => Some(byte - b'a' + 10),
                _ => None,
            };
            let mut bytes = [0; 33];
            for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                *byte = digit(pair[0])? << 4 | digit(pair[1])?;
            }
            matches!(bytes[0], 2 | 3).then_some(UserId(bytes))
        };
        parse().ok_or_else(|| NotAUserId(text.to_owned()))
    }
}

impl Field for UserId {
    const KIND: Kind = Kind::User;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(self.to_string()))
    }
    fn decode(value: &Value) -> Result<UserId, FieldError> {
        match value {
            Value::Text(text) => text.parse().map_err(|e: NotAUserId| FieldError::new(format!("is not valid: {e}"))),
            other => Err(FieldError::wrong_kind(other, "a user id")),
        }
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UserId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused() {
        let good = UserId::from_bytes([3; 33]).to_string();
        assert!(good.parse::<UserId>().is_ok());
        for bad in [&good[1..], &good.to_uppercase().replace('0', "A"), &format!("04{}", &good[2..]), ""] {
            assert!(bad.parse::<UserId>().is_err(), "{bad}");
        }
    }
}
