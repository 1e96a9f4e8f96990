use std::path::PathBuf;

use libp2p::{Multiaddr, PeerId};

/// Why a node of the network could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The file of the key.
    #[error("the network key in {} cannot be read or made: {source}", file.display())]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no network key; restore it, or remove it and be another peer", file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// A thread or its runtime.
    #[error("the thread of the network could not be started: {0}")]
    Thread(std::io::Error),
    /// An address to listen on.
    #[error("nobody can be heard at {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
    /// An address that takes more than what was compiled.
    #[error(
        "nobody can be heard at {address} without the cargo feature `{feature}`; turn it on for the dependency `debros`"
    )]
    Feature {
        /// The address.
        address: Multiaddr,
        /// The feature.
        feature: &'static str,
    },
    /// A relay that nobody finds.
    #[cfg(feature = "relay")]
    #[error("a relay has to listen somewhere, as at `/ip4/0.0.0.0/tcp/4001`")]
    RelayNowhere,
    /// Something else that has to be there.
    #[error("the network could not be started: {0}")]
    Setup(String),
}

/// Why a peer could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// It does not answer, is somebody else, or refuses.
    #[error("the peer at {address} could not be reached: {reason}")]
    Unreachable {
        /// Where it should be.
        address: Multiaddr,
        /// Why.
        reason: String,
    },
    /// Its address takes more than what was compiled.
    #[error(
        "the peer at {address} cannot be reached without the cargo feature `{feature}`; turn it on for the dependency `debros`"
    )]
    Feature {
        /// Where it should be.
        address: Multiaddr,
        /// The feature.
        feature: &'static str,
    },
    /// The network was closed.
    #[error("the network of this node was closed")]
    Closed,
}

/// Why a stream to a peer could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// There is no connection.
    #[error("the peer {0} is not connected; dial it first")]
    NotConnected(PeerId),
    /// It does not speak the protocol.
    #[error("the peer {peer} does not speak {protocol}")]
    Unsupported {
        /// The peer.
        peer: PeerId,
        /// The protocol.
        protocol: Box<str>,
    },
    /// The connection failed, or it took too long.
    #[error("a stream of {protocol} to the peer {peer} could not be opened: {reason}")]
    Failed {
        /// The peer.
        peer: PeerId,
        /// The protocol.
        protocol: Box<str>,
        /// Why.
        reason: Box<str>,
    },
    /// The name of the protocol.
    #[error("`{0}` is no name of a protocol, which begins with a slash")]
    NoProtocol(String),
    /// Somebody in this process handles the protocol.
    #[error("streams of the protocol {0} are handled already")]
    Taken(String),
}

/// Why a message was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// It is too large for pubsub.
    #[error("a message of {0} bytes is too large to be published")]
    TooLarge(usize),
    /// No peer took it.
    #[error("the message could not be published: {0}")]
    Failed(String),
    /// The network was closed.
    #[error("the network of this node was closed")]
    Closed,
}
