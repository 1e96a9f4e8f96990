//! [`UserKey`]: a user's root key, to carry away.

use crate::{
    KeyError, KeyFileError, SigningKey,
    key_file::{KeyFile, KeyKind},
};
use std::fmt;
use zeroize::Zeroizing;

/// A user's root key: who has it is that user. It is exported to be kept safe, or to be the same user on another
/// device.
///
/// ```
/// use debros_orbit::UserKey;
///
/// let key = UserKey::generate()?;
/// let text = key.export();
/// assert!(text.starts_with("debros-key 1 user\n"));
/// assert_eq!(UserKey::import(text.as_bytes())?.id(), key.id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UserKey {
    file: KeyFile,
}

impl UserKey {
    /// A new user.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn generate() -> Result<UserKey, KeyError> {
        SigningKey::generate().map(UserKey::from_key)
    }

    /// The user with this root key.
    pub fn from_key(key: SigningKey) -> UserKey {
        UserKey { file: KeyFile { kind: KeyKind::User, key, certificate: None } }
    }

    /// Reads an exported key.
    ///
    /// # Errors
    /// If the text is no user's key, is damaged or of a newer version.
    pub fn import(text: &[u8]) -> Result<UserKey, KeyFileError> {
        KeyFile::parse(text, KeyKind::User).map(|file| UserKey { file })
    }

    /// The key as a few lines of text, which say what they are and carry a check. Whoever reads them is this user from
    /// then on.
    pub fn export(&self) -> Zeroizing<String> {
        self.file.to_text()
    }

    /// The user's id.
    pub fn id(&self) -> String {
        self.file.key.public_key().to_string()
    }

    /// The root key.
    pub fn key(&self) -> &SigningKey {
        &self.file.key
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserKey({})", self.file.key.public_key())
    }
}
