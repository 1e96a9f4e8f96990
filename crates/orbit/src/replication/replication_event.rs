use crate::{DatabaseId, Hash, Hold};
use debros_ipfs::PeerId;
use std::time::Duration;
use tokio::sync::broadcast;

/// What went over the wire in one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Entries that were sent.
    pub entries_sent: u64,
    /// Entries that came, whether or not they were here.
    pub entries_received: u64,
    /// Bytes that were sent, those of messages without entries among them.
    pub bytes_sent: u64,
    /// Bytes that came.
    pub bytes_received: u64,
    /// Messages that were sent.
    pub messages_sent: u64,
    /// Messages that came.
    pub messages_received: u64,
}

/// What happens in replication.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ReplicationEvent {
    /// A peer is connected.
    Connected(PeerId),
    /// A peer is connected no more.
    Disconnected(PeerId),
    /// A peer that was connected through a relay is connected directly, too.
    #[cfg(feature = "relay")]
    Direct(PeerId),
    /// A relay lets peers reach this node at this address.
    #[cfg(feature = "relay")]
    Reachable(debros_ipfs::Multiaddr),
    /// A relay does not, or not any more. It is asked again and again.
    #[cfg(feature = "relay")]
    Unreachable {
        /// The relay.
        relay: PeerId,
        /// Why.
        reason: String,
    },
    /// A peer did too much that no honest one does: it is refused for some time.
    Refused {
        /// The peer.
        peer: PeerId,
        /// For how long.
        lasts: Duration,
    },
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
    /// An exchange with a node of our kind has ended: each was sent what it lacked of what the other had.
    Synced {
        /// The database.
        database: DatabaseId,
        /// The peer.
        peer: PeerId,
        /// What went over the wire.
        traffic: Traffic,
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
