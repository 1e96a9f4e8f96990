use crate::{Address, DatabaseId, DatabaseSpec, Hash, PublicKey};

/// A database of a data folder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InspectedDatabase {
    /// Its number in the folder.
    pub id: DatabaseId,
    /// Its address, the same everywhere.
    pub address: Address,
    /// What it was opened as: name, type, access, family.
    pub spec: DatabaseSpec,
    /// Entries of its log.
    pub entries: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Entries that were received and are held back.
    pub held: u64,
    /// Entries of its log that are encrypted as a whole: of these nothing more is known without the key.
    pub sealed: u64,
    /// The entries that no other follows, and their times; newest first.
    pub heads: Vec<(Hash, u64)>,
    /// The smallest time of a clock.
    pub first_time: Option<u64>,
    /// The largest.
    pub last_time: Option<u64>,
    /// Who wrote it, those with most entries first.
    pub authors: Vec<InspectedAuthor>,
}

/// A user on a device, who wrote a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectedAuthor {
    /// The user: their root key.
    pub user: PublicKey,
    /// The device's key.
    pub device: PublicKey,
    /// The identity's block.
    pub identity: Hash,
    /// Entries by them.
    pub entries: u64,
}
