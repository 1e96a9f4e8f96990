use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "relay")]
use libp2p::Multiaddr;
use libp2p::{PeerId, gossipsub::MessageId};

use super::charges::Charge;

/// What happens in the network.
#[derive(Debug)]
#[non_exhaustive]
pub enum NetworkEvent {
    /// A peer is connected, by its first connection.
    Connected(PeerId),
    /// A peer has said what program it is, the first time since it is connected.
    Identified(PeerId),
    /// A peer that was connected through a relay is connected directly, too.
    #[cfg(feature = "relay")]
    Direct(PeerId),
    /// A relay lets peers reach this node at this address.
    #[cfg(feature = "relay")]
    Reachable(Multiaddr),
    /// A relay does not, or not any more. It is asked again and again.
    #[cfg(feature = "relay")]
    Unreachable {
        /// The relay.
        relay: PeerId,
        /// Why.
        reason: String,
    },
    /// The last connection of a peer has ended.
    Disconnected(PeerId),
    /// A peer listens to a topic.
    Subscribed {
        /// The peer.
        peer: PeerId,
        /// The topic.
        topic: String,
    },
    /// It listens no more.
    Unsubscribed {
        /// The peer.
        peer: PeerId,
        /// The topic.
        topic: String,
    },
    /// A message on a topic that this node listens to. Messages may be lost.
    Message(TopicMessage),
}

/// A message on a topic. It goes on to other peers when it was [judged](super::Network::judge) good; while it is held, it
/// counts against what its peer may have waiting here.
#[derive(Debug)]
pub struct TopicMessage {
    /// The topic.
    pub topic: String,
    /// The peer that it came from, which need not have made it.
    pub peer: PeerId,
    /// The peer that made it, which has signed it.
    pub author: Option<PeerId>,
    /// The message.
    pub data: Bytes,
    pub(super) id: MessageId,
    pub(super) _charge: Arc<Charge>,
}

/// What a message on a topic is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Other peers are to have it, too.
    Good,
    /// Nobody is to have it.
    Bad,
    /// It is not known. Others may look for themselves, but do not get it from here.
    Unknown,
}
