use std::{
    fmt, fs,
    io::{self, Write as _},
    path::Path,
};

use libp2p::{PeerId, identity::Keypair};

use super::NetworkError;

/// The key by which a node is known in the network: an Ed25519 key of its own, which has nothing to do with its users'.
#[derive(Clone)]
pub struct NetworkKey(pub(super) Keypair);

const FIRST_LINE: &str = "debros-network-key 1";
/// No key file is longer; what is, is not read.
const MAX_FILE: u64 = 256;

impl NetworkKey {
    /// A new key, which is kept nowhere.
    pub fn generate() -> NetworkKey {
        NetworkKey(Keypair::generate_ed25519())
    }

    /// The key in this file; the first time it is made, readable by its owner alone.
    ///
    /// # Errors
    /// If the file cannot be read or made, or holds no key.
    pub fn open(file: &Path) -> Result<NetworkKey, NetworkError> {
        let unreadable = |source| NetworkError::KeyFile { file: file.to_owned(), source };
        match fs::metadata(file) {
            Ok(metadata) if metadata.len() > MAX_FILE => Err(NetworkError::NoKey { file: file.to_owned() }),
            Ok(_) => {
                let text = fs::read_to_string(file).map_err(unreadable)?;
                parse(&text).ok_or_else(|| NetworkError::NoKey { file: file.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = NetworkKey::generate();
                key.write(file).map_err(unreadable)?;
                Ok(key)
            }
            Err(error) => Err(unreadable(error)),
        }
    }

    /// The peer id that follows from it.
    pub fn peer(&self) -> PeerId {
        self.0.public().to_peer_id()
    }

    /// Whole or not at all: under its name is only what is complete and on the disk.
    fn write(&self, file: &Path) -> io::Result<()> {
        let Ok(pair) = self.0.clone().try_into_ed25519() else { return Err(io::Error::other("no Ed25519 key")) };
        let mut text = format!("{FIRST_LINE}\nsecret ");
        for byte in pair.secret().as_ref() {
            text.push_str(&format!("{byte:02x}"));
        }
        text.push('\n');
        let part = file.with_extension("part");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut made = options.open(&part)?;
        made.write_all(text.as_bytes())?;
        made.sync_all()?;
        fs::rename(&part, file)?;
        #[cfg(unix)]
        if let Some(folder) = file.parent() {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<NetworkKey> {
    let secret = text.strip_prefix(FIRST_LINE)?.trim().strip_prefix("secret ")?;
    if secret.len() != 64 || !secret.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&secret[2 * at..2 * at + 2], 16).ok()?;
    }
    Keypair::ed25519_from_bytes(bytes).ok().map(NetworkKey)
}

impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NetworkKey").field(&self.peer()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_the_same_and_is_readable_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("network-key");
        let key = NetworkKey::open(&file).unwrap();
        assert_eq!(NetworkKey::open(&file).unwrap().peer(), key.peer());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for broken in ["", "debros-network-key 2\nsecret 00\n", "debros-network-key 1\nsecret zz\n", &"x".repeat(300)] {
            fs::write(&file, broken).unwrap();
            assert!(matches!(NetworkKey::open(&file), Err(NetworkError::NoKey { .. })), "{broken}");
        }
    }
}
