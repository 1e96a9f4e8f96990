use crate::Hash;
use debros_core::Timestamp;
use debros_ipfs::PeerId;

/// How far a database agrees with its peers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncState {
    /// The heads here, newest first.
    pub heads: Vec<Hash>,
    /// How many entries its log has here.
    pub entries: u64,
    /// How many entries are held back.
    pub held: u64,
    /// Since when something of it is waited for: when the first came of the entries that are held back because something that they
    /// need is not here, as far as the first 4,096 of those that are held back tell.
    pub pending_since: Option<Timestamp>,
    /// The blocks that are to be fetched, 4,096 at most.
    pub missing: Vec<Hash>,
    /// The peers that replicate it, too.
    pub peers: Vec<PeerSync>,
}

/// What is known of a peer that replicates a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerSync {
    /// The peer.
    pub peer: PeerId,
    /// Its heads, as it told them last, in no particular order.
    pub heads: Option<Vec<Hash>>,
}

impl SyncState {
    /// Did every peer that replicates the database, of which there is one at least, have the heads that are here, and is
    /// nothing missing?
    pub fn is_agreed(&self) -> bool {
        let agrees = |peer: &PeerSync| {
            peer.heads.as_ref().is_some_and(|heads| {
                heads.len() == self.heads.len() && heads.iter().all(|head| self.heads.contains(head))
            })
        };
        self.missing.is_empty() && !self.peers.is_empty() && self.peers.iter().all(agrees)
    }
}
