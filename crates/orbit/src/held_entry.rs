//! [`HeldEntry`]: an entry that is held back.

use crate::{DatabaseId, Hash, Hold};

/// An entry that was received and is held back: see [`ReadDocuments::held`](crate::ReadDocuments::held).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldEntry {
    /// Of which database it was received.
    pub database: DatabaseId,
    /// Its name.
    pub hash: Hash,
    /// Why it is held back.
    pub hold: Hold,
    /// The peer from which it came.
    pub from: String,
    /// When it was received, in milliseconds since 1970.
    pub since: u64,
    /// The size of its block.
    pub bytes: u32,
    /// How many of the entries that it builds on are not here either.
    pub missing: u32,
    /// Does an entry build on it whose author may write?
    pub needed: bool,
}

/// A block that would let entries join that are held back: see [`ReadDocuments::wanted`](crate::ReadDocuments::wanted).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// An entry of this database.
    Entry(DatabaseId, Hash),
    /// An identity.
    Identity(Hash),
}

impl Wanted {
    /// The block.
    pub fn hash(&self) -> Hash {
        match self {
            Wanted::Entry(_, hash) | Wanted::Identity(hash) => *hash,
        }
    }
}
