use libp2p::Multiaddr;

/// How a node takes part in the network.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkOptions {
    /// Where it listens (default `/ip4/0.0.0.0/tcp/0`); nowhere, if empty. With the feature `quic` also as `/ip4/0.0.0.0/udp/0/quic-v1`. With the
    /// feature `relay` it is reached through a relay by `/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…/p2p-circuit`, as soon as that can be reached.
    pub listen: Vec<Multiaddr>,
    /// Whether it looks for peers on the local network, and is found there (default true).
    pub mdns: bool,
    /// What it takes from peers.
    pub limits: NetworkLimits,
    /// Whether it is a relay, by which others reach each other, and what it does for them (default none). It has to listen somewhere.
    #[cfg(feature = "relay")]
    pub relay: Option<super::RelayLimits>,
}

/// What a node takes from peers, at most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkLimits {
    /// Connections (default 256).
    pub connections: u32,
    /// Connections that others have made (default 192).
    pub inbound_connections: u32,
    /// Connections with one peer (default 4).
    pub connections_per_peer: u32,
    /// Streams at a time on one connection (default 128). Each may have 256 KiB waiting to be read; over QUIC 10 MB, and those of a connection
    /// 15 MB together.
    pub streams_per_connection: usize,
    /// Bytes of a message that is published (default 4 MiB).
    pub message_bytes: usize,
    /// Messages of one peer that wait to be looked at (default 256); more are left out.
    pub waiting_messages: usize,
    /// Bytes of these (default 8 MiB).
    pub waiting_bytes: usize,
    /// Topics of one peer (default 16,384).
    pub topics_per_peer: usize,
    /// Blocks that one peer may be waiting for (default 1,024).
    pub wants_per_peer: usize,
}

impl Default for NetworkOptions {
    fn default() -> NetworkOptions {
        let everywhere = Multiaddr::empty()
            .with(libp2p::multiaddr::Protocol::Ip4(std::net::Ipv4Addr::UNSPECIFIED))
            .with(libp2p::multiaddr::Protocol::Tcp(0));
        NetworkOptions {
            listen: vec![everywhere],
            mdns: true,
            limits: NetworkLimits::default(),
            #[cfg(feature = "relay")]
            relay: None,
        }
    }
}

impl NetworkOptions {
    /// On the loopback interface only, without looking for peers.
    pub fn loopback() -> NetworkOptions {
        let here = Multiaddr::empty()
            .with(libp2p::multiaddr::Protocol::Ip4(std::net::Ipv4Addr::LOCALHOST))
            .with(libp2p::multiaddr::Protocol::Tcp(0));
        NetworkOptions { listen: vec![here], mdns: false, ..NetworkOptions::default() }
    }
}

impl Default for NetworkLimits {
    fn default() -> NetworkLimits {
        NetworkLimits {
            connections: 256,
            inbound_connections: 192,
            connections_per_peer: 4,
            streams_per_connection: 128,
            message_bytes: 4 << 20,
            waiting_messages: 256,
            waiting_bytes: 8 << 20,
            topics_per_peer: 16_384,
            wants_per_peer: 1024,
        }
    }
}
