//! [`Cipher`]: what encrypts.

use std::error::Error;

/// What encrypts payloads or whole entries: [`Encryption`](crate::Encryption).
///
/// An implementation must be authenticated: what was changed, or encrypted with another key, must not decrypt. And it
/// must not use a nonce twice with one key. [`XChaCha20Cipher`](crate::XChaCha20Cipher) is ours,
/// [`SimpleEncryption`](crate::SimpleEncryption) is for those who share data with JavaScript peers.
pub trait Cipher: Send + Sync {
    /// Encrypts.
    ///
    /// # Errors
    /// If there are no random bytes for a nonce, or it is too much.
    fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, CipherError>;

    /// Decrypts.
    ///
    /// # Errors
    /// If it is damaged, or was encrypted with another key.
    fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>, CipherError>;
}

/// Why something is not encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// It does not have the form of what this cipher makes.
    #[error("this was not encrypted with this cipher, or it is damaged: {0}")]
    Malformed(&'static str),
    /// It has the form; a cipher cannot tell a wrong key from a changed message.
    #[error("the key is not the one that this was encrypted with, or it was changed since")]
    WrongKey,
    /// More than the cipher can encrypt at once.
    #[error("{0} bytes are more than can be encrypted at once")]
    TooLarge(usize),
    /// The system gives no random bytes.
    #[error("the operating system gives no random bytes for encryption: {0}")]
    Random(String),
    /// A cipher from elsewhere failed.
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], CipherError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| CipherError::Random(e.to_string()))?;
    Ok(bytes)
}
