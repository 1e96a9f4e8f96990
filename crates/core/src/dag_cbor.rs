//! DAG-CBOR: the bytes of everything that is hashed, signed or exchanged.

use crate::Value;
use cid::{Cid, multihash::Multihash};
use sha2::{Digest as _, Sha256};

/// The multicodec of DAG-CBOR.
pub const DAG_CBOR: u64 = 0x71;
/// The multihash code of SHA2-256.
pub const SHA2_256: u64 = 0x12;

/// Why bytes are no DAG-CBOR, or a value cannot be written as such.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DagCborError {
    /// The bytes do not decode.
    #[error("these bytes are no DAG-CBOR: {0}")]
    Decode(String),
    /// The bytes decode, but DAG-CBOR has exactly one form for each value, and these are another.
    #[error(
        "these bytes are not in DAG-CBOR's canonical form, so a peer that encodes them again would get another hash"
    )]
    NotCanonical,
    /// NaN, an infinity or -0.0.
    #[error("the number {0} has no form that JavaScript peers keep: NaN, infinities and -0.0 cannot be stored")]
    Number(f64),
    /// An integer outside DAG-CBOR's range.
    #[error("the integer {0} does not fit 64 bits")]
    Integer(i128),
    /// A map key that JavaScript's decoder loses, so that a signature over it fails there.
    #[error("the map key `__proto__` is lost by JavaScript peers: use another")]
    Key,
    /// The value does not encode.
    #[error("this value cannot be written as DAG-CBOR: {0}")]
    Encode(String),
}

impl Value {
    /// The canonical DAG-CBOR bytes of this value, the same that JavaScript's `@ipld/dag-cbor` writes.
    ///
    /// # Errors
    /// If a float in it is NaN, infinite, -0.0 or whole within 2^53 - 1 (use [`Value::float`]), an integer is
    /// outside -2^64 to 2^64 - 1, or a map key is `__proto__`.
    pub fn to_dag_cbor(&self) -> Result<Vec<u8>, DagCborError> {
        self.check_forms()?;
        serde_ipld_dagcbor::to_vec(self).map_err(|e| DagCborError::Encode(e.to_string()))
    }

    /// Reads DAG-CBOR bytes that JavaScript's decoder and encoder would keep unchanged, and no others.
    ///
    /// # Errors
    /// If the bytes do not decode, or are not in canonical form.
    pub fn from_dag_cbor(bytes: &[u8]) -> Result<Value, DagCborError> {
        let value: Value = serde_ipld_dagcbor::from_slice(bytes).map_err(|e| DagCborError::Decode(e.to_string()))?;
        match value.to_dag_cbor() {
            Ok(again) if again == bytes => Ok(value),
            _ => Err(DagCborError::NotCanonical),
        }
    }

    /// Reads DAG-CBOR bytes that were checked when they were stored, without checking their form again.
    ///
    /// # Errors
    /// If the bytes do not decode.
    pub fn from_trusted_dag_cbor(bytes: &[u8]) -> Result<Value, DagCborError> {
        serde_ipld_dagcbor::from_slice(bytes).map_err(|e| DagCborError::Decode(e.to_string()))
    }

    fn check_forms(&self) -> Result<(), DagCborError> {
        match self {
            Value::Float(f) if !f.is_finite() || Value::float(*f) != *self => Err(DagCborError::Number(*f)),
            Value::Int(i) if *i < -(1 << 64) || *i >= 1 << 64 => Err(DagCborError::Integer(*i)),
            Value::List(list) => list.iter().try_for_each(Value::check_forms),
            Value::Map(map) => map.iter().try_for_each(|(key, value)| match key {
                "__proto__" => Err(DagCborError::Key),
                _ => value.check_forms(),
            }),
            _ => Ok(()),
        }
    }
}

/// The CID of a DAG-CBOR block: version 1, codec DAG-CBOR, SHA2-256.
pub fn cid_of(block: &[u8]) -> Cid {
    let hash = Multihash::wrap(SHA2_256, &Sha256::digest(block)).expect("a SHA2-256 digest fits a multihash");
    Cid::new_v1(DAG_CBOR, hash)
}
