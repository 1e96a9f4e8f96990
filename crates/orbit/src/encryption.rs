//! [`Encryption`]: which parts of a database are encrypted, and with what.

use crate::{
    Cipher, CipherError, ScanError,
    encoder::Encoder,
    limits::{MAX_ACCEPTED, MAX_WRITTEN},
    scanner::{Head, Scanner},
};
use debros_core::{DagCborError, Value};
use std::{borrow::Cow, fmt, sync::Arc};

/// Which parts of a database are encrypted, and with what, as in OrbitDB 4.
///
/// | | encrypted is | who lacks the key |
/// |---|---|---|
/// | `data` | the payload of each entry | can check, join and hand on entries, and knows who wrote when; not what |
/// | `replication` | each entry as a whole | can hand on blocks, and knows nothing of them |
///
/// What is signed is what is stored: an entry with its encrypted payload. The manifest does not tell that a database is
/// encrypted, and entries from before, or from a JavaScript peer that forgot (its documents databases do), are plain;
/// so both are read.
///
/// ```
/// use debros_core::Value;
/// use debros_orbit::{Encryption, EncryptionError, XChaCha20Cipher};
/// use std::sync::Arc;
///
/// let encryption = Encryption { data: Some(Arc::new(XChaCha20Cipher::generate()?)), replication: None };
/// let sealed = encryption.seal_payload(Value::from("secret"))?;
/// assert!(matches!(sealed, Value::Bytes(_)));
/// assert_eq!(*encryption.open_payload(&sealed)?, Value::from("secret"));
/// assert!(matches!(Encryption::default().open_payload(&sealed), Err(EncryptionError::NoDataKey)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Encryption {
    /// For payloads; `None`: they are plain.
    pub data: Option<Arc<dyn Cipher>>,
    /// For entries as a whole; `None`: they are plain.
    pub replication: Option<Arc<dyn Cipher>>,
}

/// Why something is not encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionError {
    /// There is no key for payloads.
    #[error("the payload of the entry is encrypted, and the key for the database's data is not here")]
    NoDataKey,
    /// There is no key for entries.
    #[error("the entry is encrypted, and the key for the database's replication is not here")]
    NoReplicationKey,
    /// The cipher for payloads failed.
    #[error("the payload of the entry: {0}")]
    Data(#[source] CipherError),
    /// The cipher for entries failed.
    #[error("the entry: {0}")]
    Replication(#[source] CipherError),
    /// What is to be encrypted, or was decrypted, cannot be stored.
    #[error("the payload cannot be stored: {0}")]
    Payload(#[from] DagCborError),
    /// What is to be encrypted, or was decrypted, is nested too deep, or the block around an entry is damaged.
    #[error("what is encrypted is damaged: {0}")]
    Scan(#[from] ScanError),
    /// Too large to write.
    #[error("with its encryption the entry has {0} bytes, and at most {MAX_WRITTEN} bytes (1 MiB) are written")]
    TooLarge(usize),
    /// Too large to accept.
    #[error("an encrypted entry of {0} bytes is too large: at most {MAX_ACCEPTED} bytes (4 MiB) are accepted")]
    TooLargeToAccept(usize),
}

impl Encryption {
    /// Is this block an entry that is encrypted as a whole? Such a block is bytes, and any other a map.
    pub(crate) fn is_sealed(block: &[u8]) -> bool {
        block.first().is_some_and(|head| head >> 5 == 2)
    }

    /// The payload as an entry carries it: bytes that hold the encrypted payload, or the payload itself if data is not
    /// encrypted.
    ///
    /// # Errors
    /// If the payload cannot be stored or encrypted.
    pub fn seal_payload(&self, payload: Value) -> Result<Value, EncryptionError> {
        let Some(cipher) = &self.data else { return Ok(payload) };
        let plain = payload.to_dag_cbor()?;
        Scanner::new(&plain).item()?;
        cipher.encrypt(&plain).map(Value::Bytes).map_err(EncryptionError::Data)
    }

    /// The payload that an entry carries, decrypted if it is encrypted: no plain payload is bytes.
    ///
    /// # Errors
    /// If the key is missing or wrong, or what comes out is no payload.
    pub fn open_payload<'v>(&self, payload: &'v Value) -> Result<Cow<'v, Value>, EncryptionError> {
        let Value::Bytes(sealed) = payload else { return Ok(Cow::Borrowed(payload)) };
        let cipher = self.data.as_ref().ok_or(EncryptionError::NoDataKey)?;
        let plain = cipher.decrypt(sealed).map_err(EncryptionError::Data)?;
        if plain.len() > MAX_ACCEPTED {
            return Err(EncryptionError::TooLargeToAccept(plain.len()));
        }
        // before the decoder recurses, it is seen how deep that goes
        Scanner::new(&plain).item()?;
        Ok(Cow::Owned(Value::from_dag_cbor(&plain)?))
    }

    /// The block of an entry: bytes that hold the encrypted entry, or the entry itself if replication is not encrypted.
    /// The hash of the entry is that of this block.
    ///
    /// # Errors
    /// If it cannot be encrypted, or becomes too large.
    pub fn seal_block(&self, entry: Vec<u8>) -> Result<Vec<u8>, EncryptionError> {
        let Some(cipher) = &self.replication else { return Ok(entry) };
        let sealed = cipher.encrypt(&entry).map_err(EncryptionError::Replication)?;
        let mut encoder = Encoder::with_capacity(sealed.len() + 9);
        encoder.bytes(&sealed);
        let block = encoder.finish();
        if block.len() > MAX_WRITTEN { Err(EncryptionError::TooLarge(block.len())) } else { Ok(block) }
    }

    /// The entry in a block, decrypted if it is encrypted. Whether it is an entry is not looked at.
    ///
    /// # Errors
    /// If the key is missing or wrong, or the block is damaged.
    pub fn open_block<'b>(&self, block: &'b [u8]) -> Result<Cow<'b, [u8]>, EncryptionError> {
        if block.len() > MAX_ACCEPTED {
            return Err(EncryptionError::TooLargeToAccept(block.len()));
        }
        let mut walk = Scanner::new(block);
        let Head::Bytes(len) = walk.head()? else { return Ok(Cow::Borrowed(block)) };
        let sealed = walk.take(len)?;
        walk.end()?;
        let cipher = self.replication.as_ref().ok_or(EncryptionError::NoReplicationKey)?;
        let entry = cipher.decrypt(sealed).map_err(EncryptionError::Replication)?;
        if entry.len() > MAX_ACCEPTED {
            return Err(EncryptionError::TooLargeToAccept(entry.len()));
        }
        Ok(Cow::Owned(entry))
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (data, replication) = (self.data.is_some(), self.replication.is_some());
        f.debug_struct("Encryption").field("data", &data).field("replication", &replication).finish()
    }
}
