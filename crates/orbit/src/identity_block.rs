//! [`IdentityBlock`]: an identity, as everyone sees it.

use crate::{Hash, PublicKey, limits::MAX_ACCEPTED, scanner::Scanner};
use debros_core::{Map, Value};

/// The public half of an identity: a user's id, the key of one of their devices, and two signatures that tie them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityBlock {
    /// The user: their public root key.
    pub id: PublicKey,
    /// The device's key, that signs entries.
    pub public_key: PublicKey,
    /// The device's signature of the id.
    pub id_signature: String,
    /// The root key's signature of `public_key` and `id_signature`.
    pub key_signature: String,
}

/// Why a block is no valid identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The block is not the map of four fields that it should be.
    #[error("this block is no identity: {0}")]
    Malformed(String),
    /// An identity provider that this version does not know.
    #[error("the identity's type is `{0}`, and only `publickey` is known")]
    Type(String),
    /// A signature is wrong.
    #[error("the identity of user {0} is forged: its signatures do not tie the device's key to the user")]
    Forged(PublicKey),
}

const TYPE: &str = "publickey";

impl IdentityBlock {
    /// What the root key signs.
    pub(crate) fn certified(public_key: PublicKey, id_signature: &str) -> String {
        format!("{public_key}{id_signature}")
    }

    /// The block's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let signatures = Map::from_iter([
            ("id", Value::from(self.id_signature.as_str())),
            ("publicKey", Value::from(self.key_signature.as_str())),
        ]);
        let fields = Map::from_iter([
            ("id", Value::from(self.id.to_string())),
            ("publicKey", Value::from(self.public_key.to_string())),
            ("signatures", Value::from(signatures)),
            ("type", Value::text(TYPE)),
        ]);
        Value::from(fields).to_dag_cbor().expect("a map of texts can be written as DAG-CBOR")
    }

    /// The block's name, which entries carry as `identity`.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.to_bytes())
    }

    /// Reads a block, without checking its signatures.
    ///
    /// # Errors
    /// If it is not canonical DAG-CBOR, not the map of exactly four fields, or of another type than `publickey`.
    pub fn decode(bytes: &[u8]) -> Result<IdentityBlock, IdentityError> {
        let malformed = |reason: &str| IdentityError::Malformed(reason.to_owned());
        if bytes.len() > MAX_ACCEPTED {
            return Err(malformed("it is larger than 4 MiB"));
        }
        Scanner::new(bytes).item().map_err(|e| malformed(&e.to_string()))?;
        let value = Value::from_dag_cbor(bytes).map_err(|e| malformed(&e.to_string()))?;
        let text = |map: &Map, field: &str| map.field(field).as_text().map(str::to_owned);
        let parse = || {
            let fields = value.as_map().filter(|fields| fields.len() == 4)?;
            let signatures = fields.field("signatures").as_map().filter(|signatures| signatures.len() == 2)?;
            let kind = text(fields, "type")?;
            Some((fields, kind, text(signatures, "id")?, text(signatures, "publicKey")?))
        };
        let (fields, kind, id_signature, key_signature) =
            parse().ok_or_else(|| malformed("it has not exactly the fields id, publicKey, signatures and type"))?;
        if kind != TYPE {
            return Err(IdentityError::Type(kind.chars().take(80).collect()));
        }
        let key = |field| {
            let text = text(fields, field).unwrap_or_default();
            text.parse().map_err(|e: crate::NotAPublicKey| malformed(&e.to_string()))
        };
        Ok(IdentityBlock { id: key("id")?, public_key: key("publicKey")?, id_signature, key_signature })
    }

    /// Checks both signatures.
    ///
    /// # Errors
    /// If one is wrong.
    pub fn verify(&self) -> Result<(), IdentityError> {
        let certified = IdentityBlock::certified(self.public_key, &self.id_signature);
        let valid = self.public_key.verify(self.id.to_string().as_bytes(), &self.id_signature)
            && self.id.verify(certified.as_bytes(), &self.key_signature);
        if valid { Ok(()) } else { Err(IdentityError::Forged(self.id)) }
    }
}
