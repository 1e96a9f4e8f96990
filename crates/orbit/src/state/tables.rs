//! The tables of state, and the form of their keys.
//!
//! Numbers in keys are big-endian, so that rows of one database, index or family lie together.

use crate::{DatabaseId, Hash, ProblemKind};
use debros_ipfs::Table;

/// Which counter → the next number.
pub(crate) const COUNTERS: Table = Table("counters");
/// Database → what it is.
pub(crate) const DATABASES: Table = Table("databases");
/// Digest of the manifest → database.
pub(crate) const ADDRESSES: Table = Table("addresses");
/// Length of the name, name, database → nothing.
pub(crate) const NAMES: Table = Table("names");
/// Name of a family → its number.
pub(crate) const FAMILIES: Table = Table("families");
/// Family, database → nothing.
pub(crate) const MEMBERS: Table = Table("members");
/// Digest of an identity → its number.
pub(crate) const IDENTITIES: Table = Table("identities");
/// Number of an identity → who it is.
pub(crate) const AUTHORS: Table = Table("authors");
/// Database → heads and counts.
pub(crate) const LOGS: Table = Table("logs");
/// Database, number of an identity → the largest time of its entries in the log.
pub(crate) const CLOCKS: Table = Table("clocks");
/// Database, key → what it holds.
pub(crate) const DOCUMENTS: Table = Table("documents");
/// Database, key (and the user, where a user deletes only what is theirs) → the deletion.
pub(crate) const TOMBSTONES: Table = Table("tombstones");
/// Database, index, values, key → position and length of the values.
pub(crate) const INDEXES: Table = Table("indexes");
/// Family, 0 or the index + 1, values, database, key → position and length of the values.
pub(crate) const FAMILY_ROWS: Table = Table("family_rows");
/// Database, 0 for a row, 1 for a refused entry or 2 for a duplicate, key (and the hash of the duplicate) → what is wrong.
pub(crate) const PROBLEMS: Table = Table("problems");
/// Database, entry → an entry that is held back.
pub(crate) const HELD: Table = Table("held");
/// Database (or [`ANY`]), what is missing, database and entry that waits → nothing.
pub(crate) const WAITING: Table = Table("waiting");
/// Database, entry → nothing: it is held back, and is to be judged again.
pub(crate) const READY: Table = Table("ready");
/// Database that says who may write, database → nothing.
pub(crate) const PROTECTED: Table = Table("protected");
/// Position of an entry that is encrypted as a whole → its database.
pub(crate) const SEALED: Table = Table("sealed");
/// Database, entry that is encrypted as a whole and in the log → position and time. Also under the hash of its content, so that the
/// same entry in another encryption, or in none, is seen to be the same.
pub(crate) const SEALED_ENTRIES: Table = Table("sealed_entries");
/// Database, entry → position: its payload could not be decrypted.
pub(crate) const UNREAD: Table = Table("unread");
/// Daemon → what it has been sent.
pub(crate) const SHIPPED: Table = Table("shipped");
/// Daemon, number of the shipment → the shipment.
pub(crate) const SHIPMENTS: Table = Table("shipments");

/// Database → where its log ended when it was dropped last, and whether it is.
pub(crate) const DROPPED: Table = Table("dropped");
/// Database, segment → bytes of the entries that the database has in it.
pub(crate) const ROOM: Table = Table("room");
/// Segment → bytes of entries in it of databases that were dropped, and how many were taken out.
pub(crate) const DEAD: Table = Table("dead");
/// Database → nothing: while state is made anew, it is one of whose entries some were taken out, and was not dropped yet.
pub(crate) const THINNED: Table = Table("thinned");

/// What the shipments of a daemon begin with, or the key of one.
pub(crate) fn shipment_key(daemon: &str, number: Option<u64>) -> Vec<u8> {
    let mut key = Vec::with_capacity(12 + daemon.len());
    key.extend_from_slice(&(daemon.len() as u32).to_be_bytes());
    key.extend_from_slice(daemon.as_bytes());
    key.extend(number.into_iter().flat_map(u64::to_be_bytes));
    key
}

/// The key of something of a database.
pub(crate) fn key_of(database: DatabaseId, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + rest.len());
    key.extend_from_slice(&database.0.to_be_bytes());
    key.extend_from_slice(rest);
    key
}

/// The key of the clock of an identity in a database.
pub(crate) fn clock_key(database: DatabaseId, author: u32) -> Vec<u8> {
    key_of(database, &author.to_be_bytes())
}

/// Stands for every database: identities belong to none.
pub(crate) const ANY: DatabaseId = DatabaseId(u32::MAX);

/// The key of an entry of a database.
pub(crate) fn entry_key(database: DatabaseId, entry: &Hash) -> Vec<u8> {
    key_of(database, entry.digest())
}

/// The key of something that waits, or what everything begins with that waits for `missing`.
pub(crate) fn waiting_key(of: DatabaseId, missing: &Hash, waiter: Option<(DatabaseId, Hash)>) -> Vec<u8> {
    let mut key = entry_key(of, missing);
    if let Some((database, entry)) = waiter {
        key.extend(entry_key(database, &entry));
    }
    key
}

/// What the rows of an index begin with.
pub(crate) fn index_prefix(database: DatabaseId, index: u16, capacity: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(6 + capacity);
    key.extend_from_slice(&database.0.to_be_bytes());
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// What the family rows of an index, or of the keys, begin with.
pub(crate) fn family_prefix(family: u32, index: Option<u16>, capacity: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(7 + capacity);
    key.extend_from_slice(&family.to_be_bytes());
    // three bytes, so that there is room for every index beside the keys
    let index = index.map_or(0, |index| u32::from(index) + 1);
    key.extend_from_slice(&index.to_be_bytes()[1..]);
    key
}

/// The key of a database's name, or what all databases of a name begin with.
pub(crate) fn name_key(name: &str, database: Option<DatabaseId>) -> Vec<u8> {
    let mut key = Vec::with_capacity(8 + name.len());
    key.extend_from_slice(&(name.len() as u32).to_be_bytes());
    key.extend_from_slice(name.as_bytes());
    key.extend(database.into_iter().flat_map(|database| database.0.to_be_bytes()));
    key
}

/// The key of a problem.
pub(crate) fn problem_key(database: DatabaseId, refused: bool, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5 + key.len());
    bytes.extend_from_slice(&database.0.to_be_bytes());
    bytes.push(u8::from(refused));
    bytes.extend_from_slice(key);
    bytes
}

/// The key of a duplicate: of one key there may be many.
pub(crate) fn duplicate_key(database: DatabaseId, key: &[u8], entry: &Hash) -> Vec<u8> {
    [&database.0.to_be_bytes()[..], &[2], key, entry.digest()].concat()
}

/// What a problem with this key in the table is to its key in the database, and that key.
pub(crate) fn problem_parts(key: &[u8]) -> Option<(ProblemKind, &[u8])> {
    let (&kind, key) = key.get(4..)?.split_first()?;
    match kind {
        0 => Some((ProblemKind::Held, key)),
        1 => Some((ProblemKind::Refused, key)),
        2 => Some((ProblemKind::Duplicate, key.split_last_chunk::<32>()?.0)),
        _ => None,
    }
}

/// The first bytes after everything that begins with `prefix`; `None` if nothing is.
pub(crate) fn past(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}
