use std::path::PathBuf;

use crate::{Damage, DiskError, Position};

/// Why the store could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store was closed (or its last handle dropped).
    #[error("the store in {path} is closed; open it again to read or write", path = path.display())]
    Closed {
        /// The data folder.
        path: PathBuf,
    },
    /// Bytes on the disk are not what was written there.
    #[error(
        "the data folder is damaged at {0}; everything else stays readable, restore this file from a backup or fetch its blocks from a peer"
    )]
    Damaged(Damage),
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No block lies at that position.
    #[error("there is no block at {position} of the store in {path}: the segment does not exist or ends before it", path = path.display())]
    NoSuchPosition {
        /// The position asked for.
        position: Position,
        /// The data folder.
        path: PathBuf,
    },
    /// The block that was at that position was taken out of the segments, with the database that it belonged to.
    #[error("the block at {position} of the store in {path} is gone: its database was dropped", path = path.display())]
    Gone {
        /// The position asked for.
        position: Position,
        /// The data folder.
        path: PathBuf,
    },
    /// The table file (derived state) failed.
    #[error(
        "the state file {path} failed: {source}; it can be deleted while the store is closed, and is then rebuilt from the segments",
        path = path.display()
    )]
    State {
        /// The state file.
        path: PathBuf,
        /// What the table engine said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Replaying a journal record through the application of state failed.
    #[error(
        "journal record {sequence} in {file}, byte {offset}, could not be applied: {source}",
        file = file.display()
    )]
    Replay {
        /// The segment file.
        file: PathBuf,
        /// Offset of the record's group in the file, in bytes.
        offset: u64,
        /// Sequence number of the record.
        sequence: u64,
        /// Why.
        source: Box<crate::ApplyError>,
    },
    /// A thread of the store died of a mistake in the store itself.
    #[error("the {thread} thread ended with a panic, which is a mistake in the store: {message}")]
    Internal {
        /// Which thread.
        thread: &'static str,
        /// Message of the panic.
        message: String,
    },
    /// A failed write ended writing: see [`Poison`](crate::Poison).
    #[error(transparent)]
    Poisoned(#[from] crate::Poison),
}
