//! [`Id`]: the generated key of a record, typed by its model.

use crate::{Field, FieldError, ID, Kind, Map, NONCE, Timestamp, UserId, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};
use uuid::Uuid;

/// The generated key of a record of the model `M`: a UUIDv7 that commits to the user who created the record.
///
/// Its 48 leading bits are the milliseconds since 1970 UTC; its 74 free bits are the first 74 of SHA-256(the user's public
/// key, 33 bytes ‖ the milliseconds as big-endian `u64` ‖ the record's `_n`, 8 random bytes). So nobody can make a
/// record under an id that another user's record has, or will have.
///
/// ```
/// use debros_core::{Id, Timestamp, UserId};
///
/// struct Post;
/// let (alice, bob) = (UserId::from_bytes([2; 33]), UserId::from_bytes([3; 33]));
/// let id: Id<Post> = Id::generate(&alice, Timestamp::from_millis(1_700_000_000_000), [7; 8]);
/// assert!(id.commits_to(&alice, [7; 8]) && !id.commits_to(&bob, [7; 8]));
/// assert_eq!(id.to_string().parse::<Id<Post>>().unwrap(), id);
/// ```
pub struct Id<M>(Uuid, PhantomData<fn() -> M>);

impl<M> Id<M> {
    /// The id of these bits.
    pub const fn from_uuid(uuid: Uuid) -> Id<M> {
        Id(uuid, PhantomData)
    }

    /// Its bits.
    pub const fn uuid(&self) -> Uuid {
        self.0
    }

    /// The id of a record that `user` creates at `time` with the nonce `nonce`.
    pub fn generate(user: &UserId, time: Timestamp, nonce: [u8; 8]) -> Id<M> {
        Id::from_uuid(committed(user, time.as_millis().max(0) as u64 & ((1 << 48) - 1), nonce))
    }

    /// Was this id made by [`Id::generate`] for this user, with this nonce?
    pub fn commits_to(&self, user: &UserId, nonce: [u8; 8]) -> bool {
        let millis = (self.0.as_u128() >> 80) as u64;
        committed(user, millis, nonce) == self.0
    }

    /// When the record was created, by its creator's clock, in whole milliseconds.
    pub fn created(&self) -> Timestamp {
        Timestamp::from_millis((self.0.as_u128() >> 80) as i64)
    }
}

/// Does the id of this stored record commit to this user? No other id than a generated one does.
pub fn commits(record: &Map, user: &UserId) -> bool {
    let (Some(id), Value::Bytes(nonce)) = (record.field(ID).as_text(), record.field(NONCE)) else { return false };
    match (id.parse::<Id<()>>(), <[u8; 8]>::try_from(nonce.as_slice())) {
        (Ok(id), Ok(nonce)) => id.commits_to(user, nonce),
        _ => false,
    }
}

fn committed(user: &UserId, millis: u64, nonce: [u8; 8]) -> Uuid {
    let digest =
        Sha256::new().chain_update(user.as_bytes()).chain_update(millis.to_be_bytes()).chain_update(nonce).finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    let bits = u128::from_be_bytes(first) >> (128 - 74);
    let (rand_a, rand_b) = (bits >> 62, bits & ((1 << 62) - 1));
    Uuid::from_u128(u128::from(millis) << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b)
}

impl<M> Clone for Id<M> {
    fn clone(&self) -> Id<M> {
        *self
    }
}
impl<M> Copy for Id<M> {}
impl<M> PartialEq for Id<M> {
    fn eq(&self, other: &Id<M>) -> bool {
        self.0 == other.0
    }
}
impl<M> Eq for Id<M> {}
impl<M> PartialOrd for Id<M> {
    fn partial_cmp(&self, other: &Id<M>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<M> Ord for Id<M> {
    fn cmp(&self, other: &Id<M>) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<M> hash::Hash for Id<M> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<M> fmt::Debug for Id<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<M> fmt::Display for Id<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A text that is no [`Id`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id: expected a UUID in lower case with hyphens, such as 018bcfe5-6800-7000-8000-000000000000")]
pub struct NotAnId(pub String);

impl<M> FromStr for Id<M> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Id<M>, NotAnId> {
        stored_uuid(text).map(Id::from_uuid).ok_or_else(|| NotAnId(text.to_owned()))
    }
}

/// A UUID in the one form that is stored: lower case, with hyphens.
pub(crate) fn stored_uuid(text: &str) -> Option<Uuid> {
    if text.len() != 36 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(text).ok()
}

impl<M> Field for Id<M> {
    const KIND: Kind = Kind::Id;

    fn encode(&self) -> Result<Value, FieldError> {
        Ok(Value::from(self.to_string()))
    }
    fn decode(value: &Value) -> Result<Id<M>, FieldError> {
        match value {
            Value::Text(text) => text.parse().map_err(|e: NotAnId| FieldError::new(format!("is not valid: {e}"))),
            other => Err(FieldError::wrong_kind(other, "an id")),
        }
    }
}

impl<M> Serialize for Id<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, M> Deserialize<'de> for Id<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id<M>, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Post;

    #[test]
    fn an_id_is_a_uuid_of_version_7_that_keeps_its_time() {
        let time = Timestamp::from_millis(1_700_000_000_123);
        let id: Id<Post> = Id::generate(&UserId::from_bytes([2; 33]), time, [1; 8]);
        assert_eq!(id.uuid().get_version_num(), 7);
        assert_eq!(id.uuid().get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.created(), time);
        assert_ne!(id, Id::generate(&UserId::from_bytes([2; 33]), time, [2; 8]));
    }

    #[test]
    fn only_the_stored_form_reads_back() {
        assert!("018BCFE5-6800-7000-8000-000000000000".parse::<Id<Post>>().is_err());
        assert!("018bcfe568007000800000000000000a".parse::<Id<Post>>().is_err());
        assert!("018bcfe5-6800-7000-8000-000000000000".parse::<Id<Post>>().is_ok());
    }
}
