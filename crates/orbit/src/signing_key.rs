//! [`SigningKey`]: what signs.

use crate::PublicKey;
use secp256k1::{Message, Secp256k1, SecretKey, SignOnly};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// These 32 bytes are no key.
    #[error("these bytes are no secp256k1 private key")]
    Invalid,
    /// The system gives no random bytes.
    #[error("the operating system gives no random bytes for a new key: {0}")]
    Random(String),
}

/// A secp256k1 private key. Its memory is overwritten when it is dropped.
pub struct SigningKey {
    secret: SecretKey,
    /// Blinded with random bytes, against those who measure how long signing takes.
    curve: Secp256k1<SignOnly>,
    public: PublicKey,
}

impl SigningKey {
    /// A new key, from the operating system's random bytes.
    ///
    /// # Errors
    /// If the operating system has none.
    pub fn generate() -> Result<SigningKey, KeyError> {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *bytes).map_err(|e| KeyError::Random(e.to_string()))?;
            match SigningKey::from_bytes(&bytes) {
                // one of 2^127 draws is no key
                Err(KeyError::Invalid) => {}
                result => return result,
            }
        }
    }

    /// The key with these bytes.
    ///
    /// # Errors
    /// If they are no key: zero, or not below the order of the curve. Or if the operating system has no random bytes,
    /// with which signing is blinded.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<SigningKey, KeyError> {
        let secret = SecretKey::from_byte_array(*bytes).map_err(|_| KeyError::Invalid)?;
        let mut curve = Secp256k1::signing_only();
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).map_err(|e| KeyError::Random(e.to_string()))?;
        curve.seeded_randomize(&seed);
        let public = PublicKey::from_bytes(secp256k1::PublicKey::from_secret_key(&curve, &secret).serialize());
        Ok(SigningKey { secret, curve, public })
    }

    /// The private key's 32 bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.secret_bytes())
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// Signs the SHA2-256 of a message: ECDSA with the nonce of RFC 6979 and a low S, as DER in lower-case hexadecimal
    /// digits. The same key and message always give the same signature.
    pub fn sign(&self, message: &[u8]) -> String {
        let digest = Message::from_digest(Sha256::digest(message).into());
        hex::encode(&*self.curve.sign_ecdsa(digest, &self.secret).serialize_der())
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.secret.non_secure_erase();
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}
