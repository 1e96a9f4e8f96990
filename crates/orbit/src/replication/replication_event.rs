use crate::{DatabaseId, Hash, Hold};
use debros_ipfs::PeerId;
use tokio::sync::broadcast;

/// What happens in replication.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReplicationEvent {
    /// A peer is connected.
    Connected(PeerId),
    /// A peer is connected no more.
    Disconnected(PeerId),
    /// A peer replicates a database, too.
    Joined {
        /// The database.
        database: DatabaseId,
        /// The peer.
        peer: PeerId,
    },
    /// It does not any more.
    Left {
        /// The database.
        database: DatabaseId,
        /// The peer.
        peer: PeerId,
    },
    /// The log of a database has other heads: entries were written here, or have joined.
    Changed {
        /// The database.
        database: DatabaseId,
        /// How many entries it has.
        entries: u64,
    },
    /// Entries of a peer were taken.
    Received {
        /// The database.
        database: DatabaseId,
        /// The peer that sent them, or told of what follows them.
        peer: Option<PeerId>,
        /// How many have joined at once. Some that are held back may do so later.
        joined: u64,
        /// Those that are held back for another reason than that something is still to come.
        held: Vec<(Hash, Hold)>,
    },
}

/// What happens in replication, one after the other.
#[derive(Debug)]
pub struct ReplicationEvents {
    pub(super) events: broadcast::Receiver<ReplicationEvent>,
}

impl ReplicationEvents {
    /// The next event; `None` when replication has ended. Whoever is too slow misses the oldest.
    pub async fn next(&mut self) -> Option<ReplicationEvent> {
        loop {
            match self.events.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
