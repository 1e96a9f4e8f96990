use std::{
    num::NonZeroU32,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    relay,
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, behaviour::ConnectionEstablished,
    },
};

use super::{RelayLimits, places::Places};

/// Stands for a connection with each peer that is connected, and is none.
const ANCHOR: usize = usize::MAX;
/// How often a peer may ask for a connection with another: so many times, and once more after each pause.
const OFTEN: (NonZeroU32, Duration) = (NonZeroU32::new(60).unwrap(), Duration::from_secs(10));
/// How often an IP address may.
const OFTEN_BY_IP: (NonZeroU32, Duration) = (NonZeroU32::new(240).unwrap(), Duration::from_secs(3));

/// What a relay does for others: libp2p's, with two repairs. Who has a reservation is counted by [`Places`]. And libp2p panics if a
/// reservation of a peer's only connection runs out while another one is being made, which a peer can bring about: so each peer has one
/// connection more for it, which lasts as long as any.
pub(in crate::network) struct Server {
    inner: relay::Behaviour,
    places: Places,
}

impl Server {
    pub(super) fn new(me: PeerId, limits: &RelayLimits) -> Server {
        let places = Places::new(limits.reservations, limits.reservation_lasts);
        let mut config = relay::Config {
            max_reservations: usize::MAX,
            reservation_duration: limits.reservation_lasts,
            max_circuits: if limits.circuits_per_peer > 0 { limits.circuits } else { 0 },
            // libp2p lets one more pass
            max_circuits_per_peer: limits.circuits_per_peer.saturating_sub(1),
            // it panics beyond what its messages can say
            max_circuit_duration: limits.circuit_lasts.min(Duration::from_secs(u32::MAX.into())),
            max_circuit_bytes: limits.circuit_bytes,
            // who tries to reach ten friends who are not there asks more often than libp2p lets them
            circuit_src_rate_limiters: Vec::new(),
            ..relay::Config::default()
        }
        .circuit_src_per_peer(OFTEN.0, OFTEN.1)
        .circuit_src_per_ip(OFTEN_BY_IP.0, OFTEN_BY_IP.1);
        let taking = places.clone();
        // after libp2p's own, which say how often: who comes too often takes no place
        config.reservation_rate_limiters.push(Box::new(move |peer, _: &Multiaddr, now| taking.take(peer, now)));
        Server { inner: relay::Behaviour::new(me, config), places }
    }
}

impl NetworkBehaviour for Server {
    type ConnectionHandler = <relay::Behaviour as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = relay::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        let connection_id = ConnectionId::new_unchecked(ANCHOR);
        match event {
            FromSwarm::ConnectionEstablished(first) if first.other_established == 0 => {
                let anchor = ConnectionEstablished { connection_id, ..first };
                self.inner.on_swarm_event(FromSwarm::ConnectionEstablished(anchor));
            }
            FromSwarm::ConnectionClosed(last) if last.remaining_established == 0 => {
                self.places.leave(&last.peer_id);
                let anchor = ConnectionClosed { connection_id, ..last };
                self.inner.on_swarm_event(FromSwarm::ConnectionClosed(anchor));
            }
            _ => {}
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}
