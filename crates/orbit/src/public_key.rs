//! [`PublicKey`]: who signed.

use secp256k1::{Message, Secp256k1, VerifyOnly, ecdsa};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr, sync::LazyLock};

/// Tables for arithmetic on the curve, which take a while to make and never change.
static CURVE: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);

/// A secp256k1 public key, compressed: 33 bytes. As text 66 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 33]);

impl PublicKey {
    /// The key with these bytes. Whether they are a point of the curve shows where a signature is checked.
    pub const fn from_bytes(bytes: [u8; 33]) -> PublicKey {
        PublicKey(bytes)
    }

    /// The compressed key.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// Did this key make this signature of this message? As strict as JavaScript: the signature is DER in lower-case
    /// hexadecimal digits, in the one form that DER allows, with a low S.
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        let check = || {
            let der = lower_hex(signature)?;
            let parsed = ecdsa::Signature::from_der(&der).ok()?;
            if *parsed.serialize_der() != *der {
                return None;
            }
            let key = secp256k1::PublicKey::from_slice(&self.0).ok()?;
            let digest = Message::from_digest(Sha256::digest(message).into());
            // libsecp256k1 refuses a high S
            CURVE.verify_ecdsa(digest, &parsed, &key).ok()
        };
        check().is_some()
    }
}

/// The bytes of lower-case hexadecimal digits, at most as many as a signature has.
fn lower_hex(text: &str) -> Option<Vec<u8>> {
    let lower = text.len() <= 160 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if lower { hex::decode(text).ok() } else { None }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 66];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [`PublicKey`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no public key: expected 66 lower-case hexadecimal digits that begin with 02 or 03")]
pub struct NotAPublicKey(pub String);

impl FromStr for PublicKey {
    type Err = NotAPublicKey;

    fn from_str(text: &str) -> Result<PublicKey, NotAPublicKey> {
        lower_hex(text)
            .and_then(|bytes| bytes.try_into().ok())
            .filter(|bytes: &[u8; 33]| matches!(bytes[0], 2 | 3))
            .map(PublicKey)
            .ok_or_else(|| NotAPublicKey(text.chars().take(80).collect()))
    }
}
