use std::collections::HashMap;

use libp2p::{Multiaddr, PeerId, core::ConnectedPoint, multiaddr::Protocol, swarm::ConnectionId};

/// The connections with each peer, and where it is by them.
#[derive(Debug, Default)]
pub(super) struct Connections {
    peers: HashMap<PeerId, Vec<(ConnectionId, Multiaddr)>>,
}

impl Connections {
    /// There is one more. Where the peer is now.
    pub(super) fn established(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) -> Multiaddr {
        self.peers.entry(peer).or_default().push((id, address_of(peer, endpoint)));
        self.address(&peer).unwrap_or_else(Multiaddr::empty)
    }

    /// One has ended. Where the peer is now, if it is still connected.
    pub(super) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> Option<Multiaddr> {
        let all = self.peers.get_mut(peer)?;
        all.retain(|(other, _)| *other != id);
        if all.is_empty() {
            self.peers.remove(peer);
        }
        self.address(peer)
    }

    /// Where the peer is: without a relay between, if there is such a connection.
    pub(super) fn address(&self, peer: &PeerId) -> Option<Multiaddr> {
        let all = self.peers.get(peer)?;
        all.iter().map(|(_, address)| address).min_by_key(|address| is_relayed(address)).cloned()
    }
}

/// Does this address lead through a relay?
pub(super) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// The peer that an address leads to, which is not the relay.
pub(super) fn named(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

/// Of who came through a relay nothing is known but its id; the address says by which relay.
fn address_of(peer: PeerId, endpoint: &ConnectedPoint) -> Multiaddr {
    match endpoint {
        ConnectedPoint::Dialer { address, .. } => address.clone(),
        ConnectedPoint::Listener { local_addr, .. } if endpoint.is_relayed() => {
            local_addr.clone().with(Protocol::P2p(peer))
        }
        ConnectedPoint::Listener { send_back_addr, .. } => send_back_addr.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{Endpoint, transport::PortUse};

    #[test]
    fn a_peer_is_where_it_is_without_a_relay() {
        let (peer, relay) = (PeerId::random(), PeerId::random());
        let mut connections = Connections::default();
        let circuit: Multiaddr = format!("/ip4/192.0.2.1/tcp/4001/p2p/{relay}/p2p-circuit").parse().unwrap();
        let direct: Multiaddr = "/ip4/192.0.2.2/tcp/4001".parse().unwrap();
        let relayed =
            ConnectedPoint::Listener { local_addr: circuit.clone(), send_back_addr: Protocol::P2p(peer).into() };
        let whole = circuit.with(Protocol::P2p(peer));
        let dialled = ConnectedPoint::Dialer {
            address: direct.clone(),
            role_override: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        };
        let id = ConnectionId::new_unchecked;
        assert_eq!(connections.established(peer, id(1), &relayed), whole);
        assert_eq!(connections.established(peer, id(2), &dialled), direct);
        assert_eq!(connections.closed(&peer, id(2)), Some(whole.clone()));
        assert_eq!(connections.closed(&peer, id(1)), None);
        assert!(connections.peers.is_empty());
        assert_eq!((named(&whole), is_relayed(&whole), is_relayed(&direct)), (Some(peer), true, false));
    }
}
