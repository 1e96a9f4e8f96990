//! [`KeyFile`]: a private key, as text.

use crate::{PublicKey, SigningKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It does not begin as a key does.
    #[error("this is no key of debros: it does not begin with `debros-key`")]
    NotAKey,
    /// Written by a newer version.
    #[error("this key is in version {0} of the format, and this program knows version 1; use a newer program")]
    Newer(String),
    /// A line is missing, surplus or unreadable.
    #[error("this key is damaged: {0}; use another copy of it")]
    Damaged(&'static str),
    /// A key of a device where a user's is needed, or the other way round.
    #[error("this is the key of a {found}, and the key of a {expected} is needed")]
    Kind {
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    User,
    Device,
}

impl KeyKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            KeyKind::User => "user",
            KeyKind::Device => "device",
        }
    }
}

/// A private key as text: what the keystore's files hold, and what a user exports. It says what it is and in which
/// version, and carries a check of its own.
///
/// ```text
/// debros-key 1 user
/// public 021ffd59…
/// secret 55dbc385…
/// check 5f0c9d1e2b3a4657
/// ```
/// A device's has the line `certificate` after `secret`.
pub(crate) struct KeyFile {
    pub(crate) kind: KeyKind,
    pub(crate) key: SigningKey,
    pub(crate) certificate: Option<String>,
}

/// No key is longer; what is, is not looked at.
pub(crate) const MAX_KEY_FILE: usize = 1024;

impl KeyFile {
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_KEY_FILE));
        let mut secret = Zeroizing::new([0; 64]);
        hex::encode_to_slice(*self.key.to_bytes(), &mut *secret).expect("64 digits hold 32 bytes");
        text.push_str("debros-key 1 ");
        text.push_str(self.kind.word());
        text.push_str("\npublic ");
        text.push_str(&self.key.public_key().to_string());
        text.push_str("\nsecret ");
        text.push_str(std::str::from_utf8(&*secret).expect("hexadecimal digits are text"));
        if let Some(certificate) = &self.certificate {
            text.push_str("\ncertificate ");
            text.push_str(certificate);
        }
        let check = check(&text);
        text.push_str("\ncheck ");
        text.push_str(&check);
        text.push('\n');
        text
    }

    /// Reads a key, and sees that nothing in it was changed. Spaces around lines and empty lines do no harm: people
    /// copy keys by hand.
    pub(crate) fn parse(text: &[u8], expected: KeyKind) -> Result<KeyFile, KeyFileError> {
        if text.len() > MAX_KEY_FILE {
            return Err(KeyFileError::NotAKey);
        }
        let text = std::str::from_utf8(text).map_err(|_| KeyFileError::NotAKey)?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().and_then(|line| line.strip_prefix("debros-key ")).ok_or(KeyFileError::NotAKey)?;
        let (version, word) = first.split_once(' ').ok_or(KeyFileError::NotAKey)?;
        if version != "1" {
            return Err(KeyFileError::Newer(version.to_owned()));
        }
        let kind = [KeyKind::User, KeyKind::Device].into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or(KeyFileError::Damaged("it does not say whether it is a user's or a device's"))?;
        if kind != expected {
            return Err(KeyFileError::Kind { found: kind.word(), expected: expected.word() });
        }
        let mut line = |name: &str, missing| {
            let line = lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.ok_or(KeyFileError::Damaged(missing))
        };
        let public = line("public", "the line `public` is missing")?;
        let secret = line("secret", "the line `secret` is missing")?;
        let certificate = match kind {
            KeyKind::User => None,
            KeyKind::Device => Some(line("certificate", "the line `certificate` is missing")?.to_owned()),
        };
        let said = line("check", "the line `check` is missing")?;
        if lines.next().is_some() {
            return Err(KeyFileError::Damaged("something follows its last line"));
        }
        let public: PublicKey =
            public.parse().map_err(|_| KeyFileError::Damaged("the line `public` holds no public key"))?;
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(secret, &mut *bytes)
            .map_err(|_| KeyFileError::Damaged("the line `secret` holds no private key"))?;
        let key = SigningKey::from_bytes(&bytes)
            .map_err(|_| KeyFileError::Damaged("the line `secret` holds no private key"))?;
        if key.public_key() != public {
            return Err(KeyFileError::Damaged("its public and its private half do not belong together"));
        }
        let file = KeyFile { kind, key, certificate };
        // the check is over the text as it is written, so over what was understood
        if file.to_text().lines().last() != Some(format!("check {said}").as_str()) {
            return Err(KeyFileError::Damaged("its check does not match"));
        }
        Ok(file)
    }
}

fn check(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> KeyFile {
        KeyFile { kind: KeyKind::User, key: SigningKey::from_bytes(&[7; 32]).unwrap(), certificate: None }
    }

    #[test]
    fn a_key_survives_text() {
        let text = user().to_text();
        let again = KeyFile::parse(text.as_bytes(), KeyKind::User).unwrap();
        assert_eq!(*again.key.to_bytes(), [7; 32]);
        let pasted = text.replace('\n', " \r\n\r\n  ");
        assert!(KeyFile::parse(pasted.as_bytes(), KeyKind::User).is_ok());
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let text = user().to_text();
        for at in 0..text.len() - 1 {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let verdict = KeyFile::parse(&changed, KeyKind::User);
            assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&changed));
        }
        assert!(KeyFile::parse(&text.as_bytes()[..text.len() - 8], KeyKind::User).is_err());
    }

    #[test]
    fn what_it_is_is_said() {
        let error = |text: &str| KeyFile::parse(text.as_bytes(), KeyKind::Device).err().unwrap();
        assert_eq!(error(""), KeyFileError::NotAKey);
        assert_eq!(error(&"x".repeat(5000)), KeyFileError::NotAKey);
        assert_eq!(error("debros-key 2 user\n"), KeyFileError::Newer("2".to_owned()));
        assert_eq!(error(&user().to_text()), KeyFileError::Kind { found: "user", expected: "device" });
    }
}
