use super::FeedPosition;
use crate::{Clock, DatabaseId, Hash};
use debros_core::Value;
use debros_ipfs::Position;

/// A change to what a key of a database holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The database.
    pub database: DatabaseId,
    /// What happened to the key.
    pub kind: ChangeKind,
    /// The key; of an event, its `_id`, or null if it has none.
    pub key: Value,
    /// What the key holds now; nothing, if that was deleted. By its schema it may be no row.
    pub value: Option<Value>,
    /// The entry that did it.
    pub entry: Hash,
    /// Its clock: the device that wrote it, and its time.
    pub clock: Clock,
    /// The identity that wrote it.
    pub identity: Hash,
    /// The user who wrote it.
    pub user: String,
    /// It was written on this node; others came from peers.
    pub is_local: bool,
    /// The place in the feed behind it.
    pub position: FeedPosition,
    /// What the key held before.
    pub(crate) former: Option<Position>,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It held nothing before.
    Created,
    /// It holds something else. An event does not change, but one that comes before it in the log's order may take its key.
    Updated,
    /// It holds nothing any more.
    Deleted,
}
