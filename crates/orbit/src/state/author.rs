//! [`Author`]: an identity that wrote here.

use super::{FieldReader, Fields};
use crate::{Hash, IdentityBlock, PublicKey};

/// An identity that is known here: the user, on a device. State rows carry its number instead of its 33 bytes of user
/// and 33 of key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Author {
    pub(crate) number: u32,
    pub(crate) hash: Hash,
    pub(crate) user: PublicKey,
    pub(crate) key: PublicKey,
    /// The user as text.
    pub(crate) id: String,
}

impl Author {
    pub(crate) fn new(number: u32, block: &IdentityBlock) -> Author {
        let (user, key) = (block.id, block.public_key);
        Author { number, hash: block.hash(), user, key, id: user.to_string() }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let row = Fields::with_capacity(98).bytes(self.hash.digest());
        row.bytes(self.user.as_bytes()).bytes(self.key.as_bytes()).finish()
    }

    pub(crate) fn from_bytes(number: u32, row: &[u8]) -> Option<Author> {
        let mut row = FieldReader::new(row);
        let hash = Hash::from_digest(row.array()?);
        let (user, key) = (PublicKey::from_bytes(row.array()?), PublicKey::from_bytes(row.array()?));
        Some(Author { number, hash, user, key, id: user.to_string() })
    }
}
