//! [`SimpleEncryption`]: the cipher of JavaScript peers.

use crate::{Cipher, CipherError, cipher::random};
use aes_gcm::{Aes128Gcm, KeyInit as _, aead::Aead as _};
use lru::LruCache;
use sha2::Sha256;
use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// Encrypts with a password, as JavaScript's `@orbitdb/simple-encryption` 0.0.2 does: AES-128-GCM with a key that
/// PBKDF2 makes of the password and a salt. Each reads what the other wrote. Where no JavaScript peer takes part,
/// [`XChaCha20Cipher`](crate::XChaCha20Cipher) is the better choice: its key cannot be guessed.
///
/// A message is `salt(16) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`. JavaScript uses a nonce for thousands of messages, which
/// breaks the cipher for those who collect them; here every message has its own. The price is JavaScript's: it makes
/// the key anew, 32,767 rounds, for each of our messages. The keys of 64 salts are remembered here;
/// what comes with another salt, from whomever, costs as much to try as to read.
///
/// ```
/// use debros_orbit::{Cipher, CipherError, SimpleEncryption};
///
/// let secret = SimpleEncryption::new("a password")?.encrypt(b"hello")?;
/// assert_eq!(SimpleEncryption::new("a password")?.decrypt(&secret)?, b"hello");
/// assert!(matches!(SimpleEncryption::new("another")?.decrypt(&secret), Err(CipherError::WrongKey)));
/// # Ok::<(), CipherError>(())
/// ```
pub struct SimpleEncryption {
    password: Zeroizing<String>,
    salt: Salt,
    key: Key,
    /// The keys of others' salts.
    others: Mutex<LruCache<Salt, Key>>,
}

type Salt = [u8; 16];
type Key = Zeroizing<[u8; 16]>;

const ROUNDS: u32 = 32_767;
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");
const NONCE: usize = 12;
const TAG: usize = 16;

impl SimpleEncryption {
    /// The cipher with this password. A salt is drawn, and a key made of it, which takes some milliseconds.
    ///
    /// # Errors
    /// If the operating system has no random bytes for the salt.
    pub fn new(password: impl Into<String>) -> Result<SimpleEncryption, CipherError> {
        let (password, salt) = (Zeroizing::new(password.into()), random()?);
        let key = derive(&password, &salt);
        Ok(SimpleEncryption { password, salt, key, others: Mutex::new(LruCache::new(REMEMBERED)) })
    }

    fn key(&self, salt: &Salt) -> Key {
        if *salt == self.salt {
            return self.key.clone();
        }
        let others = || self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = others().get(salt) {
            return key.clone();
        }
        // others may decrypt in the meantime
        let key = derive(&self.password, salt);
        others().put(*salt, key.clone());
        key
    }
}

fn derive(password: &str, salt: &Salt) -> Key {
    let mut key = Zeroizing::new([0; 16]);
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, ROUNDS, &mut *key);
    key
}

fn aes(key: &Key) -> Aes128Gcm {
    Aes128Gcm::new((&**key).into())
}

impl Cipher for SimpleEncryption {
    fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let nonce: [u8; NONCE] = random()?;
        let sealed = aes(&self.key).encrypt(&nonce.into(), plain).map_err(|_| CipherError::TooLarge(plain.len()))?;
        Ok([&self.salt[..], &nonce, &sealed].concat())
    }

    fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>, CipherError> {
        let parts = || {
            let (salt, rest) = encrypted.split_first_chunk::<16>()?;
            let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
            (sealed.len() >= TAG).then_some((salt, nonce, sealed))
        };
        let (salt, nonce, sealed) = parts().ok_or(CipherError::Malformed("it is too short"))?;
        aes(&self.key(salt)).decrypt(nonce.into(), sealed).map_err(|_| CipherError::WrongKey)
    }
}

impl fmt::Debug for SimpleEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimpleEncryption(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn one_salt_and_a_nonce_for_every_message() {
        let cipher = SimpleEncryption::new("password").unwrap();
        let sealed: Vec<_> = (0..100).map(|n: u8| cipher.encrypt(&[n]).unwrap()).collect();
        assert_eq!(sealed.iter().map(|message| &message[..16]).collect::<HashSet<_>>().len(), 1);
        assert_eq!(sealed.iter().map(|message| &message[16..28]).collect::<HashSet<_>>().len(), 100);
        let reader = SimpleEncryption::new("password").unwrap();
        for (n, message) in sealed.iter().enumerate() {
            assert_eq!(reader.decrypt(message).unwrap(), [n as u8]);
        }
        assert_eq!(reader.others.lock().unwrap().len(), 1, "a key is made once");
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let cipher = SimpleEncryption::new("").unwrap();
        let sealed = cipher.encrypt(b"x").unwrap();
        // a changed salt costs a derivation: the first and the last of its bytes are enough
        for at in [0, 15].into_iter().chain(16..sealed.len()) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(matches!(cipher.decrypt(&changed), Err(CipherError::WrongKey)), "{at}");
        }
        for len in 0..44 {
            assert!(matches!(cipher.decrypt(&sealed[..len]), Err(CipherError::Malformed(_))));
        }
    }
}
