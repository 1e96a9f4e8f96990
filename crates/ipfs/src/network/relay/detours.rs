use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long what is under way through a relay may take when there is a direct connection.
const GRACE: Duration = Duration::from_secs(5);

/// Ends the connections through relays with those peers to whom there is a direct one: a relay has better things to do.
#[derive(Default)]
pub(in crate::network) struct Detours {
    peers: HashMap<PeerId, Paths>,
    /// What ends when, in that order.
    ending: VecDeque<(Instant, PeerId, ConnectionId)>,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Default)]
struct Paths {
    direct: usize,
    relayed: Vec<ConnectionId>,
}

impl Detours {
    fn established(&mut self, peer: PeerId, connection: ConnectionId, is_relayed: bool) {
        let paths = self.peers.entry(peer).or_default();
        match is_relayed {
            true => paths.relayed.push(connection),
            false => paths.direct += 1,
        }
        let until = Instant::now() + GRACE;
        match (is_relayed, paths.direct) {
            (true, 0) => {}
            (true, _) => self.ending.push_back((until, peer, connection)),
            (false, 1) => self.ending.extend(paths.relayed.iter().map(|relayed| (until, peer, *relayed))),
            (false, _) => {}
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId, is_relayed: bool) {
        let Some(paths) = self.peers.get_mut(&peer) else { return };
        match is_relayed {
            true => paths.relayed.retain(|relayed| *relayed != connection),
            false => paths.direct -= 1,
        }
        if paths.direct == 0 {
            // the relayed ones are what is left
            self.ending.retain(|(_, of, _)| *of != peer);
            if paths.relayed.is_empty() {
                self.peers.remove(&peer);
            }
        }
    }

    /// What is to end by now.
    fn ends(&mut self, now: Instant) -> Option<(PeerId, ConnectionId)> {
        let (until, peer, connection) = self.ending.front().copied()?;
        if until > now {
            return None;
        }
        self.ending.pop_front();
        Some((peer, connection))
    }
}

impl NetworkBehaviour for Detours {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(new) => {
                self.established(new.peer_id, new.connection_id, new.endpoint.is_relayed());
            }
            FromSwarm::ConnectionClosed(old) => {
                self.closed(old.peer_id, old.connection_id, old.endpoint.is_relayed());
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some((peer_id, connection)) = self.ends(Instant::now()) {
                let connection = CloseConnection::One(connection);
                return Poll::Ready(ToSwarm::CloseConnection { peer_id, connection });
            }
            // the swarm asks again after it has told what happens: so nothing is missed without a waker
            let Some((until, ..)) = self.ending.front() else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(*until)));
            if timer.deadline() != *until {
                timer.as_mut().reset(*until);
            }
            match timer.as_mut().poll(cx) {
                Poll::Ready(()) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relayed_connection_ends_when_there_is_a_direct_one_and_not_before() {
        let (mut detours, peer, late) = (Detours::default(), PeerId::random(), Instant::now() + 2 * GRACE);
        let [relayed, direct, again] = [1, 2, 3].map(ConnectionId::new_unchecked);
        detours.established(peer, relayed, true);
        assert_eq!(detours.ends(late), None);
        detours.established(peer, direct, false);
        assert_eq!(detours.ends(Instant::now()), None, "what is under way ends");
        detours.closed(peer, direct, false);
        assert_eq!(detours.ends(late), None, "there is nothing else any more");
        detours.established(peer, direct, false);
        detours.established(peer, again, true);
        assert_eq!(detours.ends(late), Some((peer, relayed)));
        assert_eq!(detours.ends(late), Some((peer, again)));
        detours.closed(peer, relayed, true);
        detours.closed(peer, again, true);
        detours.closed(peer, direct, false);
        assert!(detours.peers.is_empty() && detours.ending.is_empty());
    }
}
