//! [`XChaCha20Cipher`]: our cipher.

use crate::{Cipher, CipherError, cipher::random};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use std::fmt;
use zeroize::Zeroizing;

/// XChaCha20-Poly1305 with a key of 32 bytes: what to encrypt with unless JavaScript peers must read it. A fresh random
/// nonce is drawn for every message; there are so many of them that none comes twice.
///
/// A message is `version(1) ‖ nonce(24) ‖ ciphertext ‖ tag(16)`; the version is 1, and authenticated.
///
/// ```
/// use debros_orbit::{Cipher, CipherError, XChaCha20Cipher};
///
/// let cipher = XChaCha20Cipher::new(&[7; 32]);
/// let secret = cipher.encrypt(b"hello")?;
/// assert_eq!(cipher.decrypt(&secret)?, b"hello");
/// assert!(matches!(XChaCha20Cipher::new(&[8; 32]).decrypt(&secret), Err(CipherError::WrongKey)));
/// # Ok::<(), CipherError>(())
/// ```
pub struct XChaCha20Cipher {
    key: Zeroizing<[u8; 32]>,
}

const VERSION: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;

impl XChaCha20Cipher {
    /// The cipher with this key. The caller sees to its own copy.
    pub fn new(key: &[u8; 32]) -> XChaCha20Cipher {
        XChaCha20Cipher { key: Zeroizing::new(*key) }
    }

    /// A cipher with a new key, from the operating system's random bytes.
    ///
    /// # Errors
    /// If the operating system has none.
    pub fn generate() -> Result<XChaCha20Cipher, CipherError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|e| CipherError::Random(e.to_string()))?;
        Ok(XChaCha20Cipher { key })
    }

    /// The key, to be kept or handed to readers.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    fn inner(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

impl Cipher for XChaCha20Cipher {
    fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let nonce: [u8; NONCE] = random()?;
        let payload = Payload { msg: plain, aad: &[VERSION] };
        let sealed = self.inner().encrypt(&nonce.into(), payload).map_err(|_| CipherError::TooLarge(plain.len()))?;
        Ok([&[VERSION], &nonce[..], &sealed].concat())
    }

    fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>, CipherError> {
        let (version, rest) = encrypted.split_first().ok_or(CipherError::Malformed("it is empty"))?;
        if *version != VERSION {
            return Err(CipherError::Malformed("its version is unknown"));
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(CipherError::Malformed("it is too short"))?;
        if sealed.len() < TAG {
            return Err(CipherError::Malformed("it is too short"));
        }
        let payload = Payload { msg: sealed, aad: &[VERSION] };
        self.inner().decrypt(nonce.into(), payload).map_err(|_| CipherError::WrongKey)
    }
}

impl fmt::Debug for XChaCha20Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("XChaCha20Cipher(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_changed_byte_is_noticed() {
        let cipher = XChaCha20Cipher::generate().unwrap();
        let sealed = cipher.encrypt(b"a message").unwrap();
        assert_eq!(sealed.len(), 1 + NONCE + b"a message".len() + TAG);
        assert_eq!(cipher.decrypt(&sealed).unwrap(), b"a message");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let error = cipher.decrypt(&changed).unwrap_err();
            assert!(matches!(error, CipherError::Malformed(_)) == (at == 0), "{at}: {error}");
            assert!(cipher.decrypt(&sealed[..at]).is_err());
        }
        assert_eq!(cipher.decrypt(&cipher.encrypt(b"").unwrap()).unwrap(), b"");
    }

    #[test]
    fn no_nonce_comes_twice() {
        let cipher = XChaCha20Cipher::generate().unwrap();
        let nonces: HashSet<Vec<u8>> = (0..100).map(|_| cipher.encrypt(b"x").unwrap()[1..1 + NONCE].to_vec()).collect();
        assert_eq!(nonces.len(), 100);
    }
}
