use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use libp2p::{Multiaddr, PeerId, core::transport::ListenerId, multiaddr::Protocol};

/// The first pause before a relay is asked again, doubled until the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A relay may tell so many addresses of its own: libp2p keeps them all, and says them to every peer, in a message of at most 4 KiB.
const TOLD: usize = 16;

/// The relays through which this node is to be reached: when to ask which one for a reservation. It asks nobody itself. One reservation is kept
/// at each relay, whatever addresses it has.
#[derive(Debug, Default)]
pub(in crate::network) struct Reservations {
    relays: HashMap<PeerId, Relay>,
}

#[derive(Debug)]
struct Relay {
    /// Where it may be; the first one is tried next.
    addresses: Vec<Multiaddr>,
    /// The listener that asks, or has a reservation.
    listener: Option<ListenerId>,
    /// When it is asked again; `None` while it is being asked, and while there is a reservation.
    due: Option<Instant>,
    tries: u32,
    /// Why it was not reached.
    reason: Option<String>,
    /// Where it says that it is, since it was asked.
    told: HashSet<Multiaddr>,
}

/// The relay of an address to be reached through, as `/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo…/p2p-circuit`.
pub(in crate::network) fn relay_of(address: &Multiaddr) -> Option<PeerId> {
    let mut parts: Vec<Protocol<'_>> = address.iter().collect();
    match (parts.pop(), parts.pop()) {
        (Some(Protocol::P2pCircuit), Some(Protocol::P2p(relay))) if parts.len() > 1 => {
            let is_plain = |part: &Protocol<'_>| !matches!(part, Protocol::P2p(_) | Protocol::P2pCircuit);
            parts.iter().all(is_plain).then_some(relay)
        }
        _ => None,
    }
}

impl Reservations {
    /// The node is to be reached through this relay.
    pub(in crate::network) fn keep(&mut self, relay: PeerId, address: Multiaddr, now: Instant) {
        let new = Relay {
            addresses: Vec::new(),
            listener: None,
            due: Some(now),
            tries: 0,
            reason: None,
            told: HashSet::new(),
        };
        self.relays.entry(relay).or_insert(new).addresses.push(address);
    }

    /// Which relays to ask by now, and where.
    pub(in crate::network) fn due(&mut self, now: Instant) -> Vec<(PeerId, Multiaddr)> {
        let due = self.relays.iter_mut().filter(|(_, relay)| relay.due.is_some_and(|due| due <= now));
        due.filter_map(|(id, relay)| {
            relay.due = None;
            let address = relay.addresses.first()?.clone();
            // should it not be there, another one is
            relay.addresses.rotate_left(1);
            Some((*id, address))
        })
        .collect()
    }

    /// When there is one to ask next.
    pub(in crate::network) fn next(&self) -> Option<Instant> {
        self.relays.values().filter_map(|relay| relay.due).min()
    }

    /// This listener asks.
    pub(in crate::network) fn asks(&mut self, relay: &PeerId, listener: ListenerId) {
        if let Some(relay) = self.relays.get_mut(relay) {
            relay.listener = Some(listener);
        }
    }

    /// The relay gave a reservation.
    pub(in crate::network) fn made(&mut self, relay: &PeerId) {
        if let Some(relay) = self.relays.get_mut(relay) {
            (relay.tries, relay.reason) = (0, None);
            // where it was found is where it is looked for first
            relay.addresses.rotate_right(1);
        }
    }

    /// A relay says that it is there, too. If that is too much, the relay, which is to be left.
    pub(in crate::network) fn tells(&mut self, listener: ListenerId, address: Multiaddr) -> Option<PeerId> {
        let (id, relay) = self.relays.iter_mut().find(|(_, relay)| relay.listener == Some(listener))?;
        relay.told.insert(address);
        if relay.told.len() <= TOLD {
            return None;
        }
        relay.reason = Some(format!("it tells more than {TOLD} addresses of its own"));
        Some(*id)
    }

    /// A peer was not reached, which may be a relay: its listener ends for this reason.
    pub(in crate::network) fn failed(&mut self, peer: &PeerId, reason: String) {
        if let Some(relay) = self.relays.get_mut(peer) {
            relay.reason = Some(reason);
        }
    }

    /// A relay could not even be asked.
    pub(in crate::network) fn not_asked(&mut self, relay: &PeerId, now: Instant) {
        if let Some(relay) = self.relays.get_mut(relay) {
            relay.pause(now);
        }
    }

    /// A listener has ended: if it was one of these, the relay, and why, if that is known.
    pub(in crate::network) fn ended(&mut self, listener: ListenerId, now: Instant) -> Option<(PeerId, Option<String>)> {
        let (id, relay) = self.relays.iter_mut().find(|(_, relay)| relay.listener == Some(listener))?;
        relay.pause(now);
        Some((*id, relay.reason.take()))
    }
}

impl Relay {
    fn pause(&mut self, now: Instant) {
        self.listener = None;
        self.told.clear();
        self.due = Some(now + PAUSE.0.saturating_mul(1 << self.tries.min(16)).min(PAUSE.1));
        self.tries = self.tries.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_asked_again_after_longer_and_longer_pauses_at_all_its_addresses() {
        let (mut reservations, relay) = (Reservations::default(), PeerId::random());
        let mut now = Instant::now();
        let [one, two] =
            ["tcp/1", "udp/1/quic-v1"].map(|port| format!("/ip4/192.0.2.1/{port}/p2p/{relay}/p2p-circuit"));
        let [one, two] = [one, two].map(|address| address.parse::<Multiaddr>().unwrap());
        assert_eq!(relay_of(&one), Some(relay));
        reservations.keep(relay, one.clone(), now);
        reservations.keep(relay, two.clone(), now);
        for (pause, address) in [(1, &one), (2, &two), (4, &one), (8, &two), (16, &one), (32, &two), (60, &one)] {
            assert_eq!(reservations.due(now), [(relay, address.clone())]);
            assert_eq!((reservations.due(now), reservations.next()), (vec![], None), "being asked");
            let listener = ListenerId::next();
            reservations.asks(&relay, listener);
            reservations.failed(&relay, "gone".to_owned());
            assert_eq!(reservations.ended(ListenerId::next(), now), None);
            assert_eq!(reservations.ended(listener, now), Some((relay, Some("gone".to_owned()))));
            assert_eq!(reservations.ended(listener, now), None);
            now += Duration::from_secs(pause);
            assert_eq!(reservations.next(), Some(now));
        }
        // there is a reservation at two, and when it ends, two is asked first
        let listener = ListenerId::next();
        assert_eq!(reservations.due(now), [(relay, two.clone())]);
        reservations.asks(&relay, listener);
        reservations.made(&relay);
        assert_eq!(reservations.ended(listener, now), Some((relay, None)));
        assert_eq!(reservations.due(now + PAUSE.0), [(relay, two)]);
    }

    #[test]
    fn a_relay_that_tells_ever_more_addresses_is_left() {
        let (mut reservations, relay, now) = (Reservations::default(), PeerId::random(), Instant::now());
        let at = |port: usize| format!("/ip4/192.0.2.1/tcp/{port}").parse::<Multiaddr>().unwrap();
        reservations.keep(relay, at(0), now);
        let listener = ListenerId::next();
        assert_eq!(reservations.due(now).len(), 1);
        reservations.asks(&relay, listener);
        for port in (0..TOLD).chain(0..TOLD) {
            assert_eq!(reservations.tells(listener, at(port)), None, "the same once more with each renewal");
        }
        reservations.made(&relay);
        assert_eq!(reservations.tells(listener, at(TOLD)), Some(relay));
        assert!(
            matches!(reservations.ended(listener, now), Some((_, Some(reason))) if reason.contains("more than 16"))
        );
        assert_eq!(reservations.tells(listener, at(0)), None, "another begins from none");
    }

    #[test]
    fn an_address_of_a_relay_names_it() {
        let id = PeerId::random();
        let nowhere = [
            "/ip4/192.0.2.1/tcp/1".to_owned(),
            "/p2p-circuit".to_owned(),
            format!("/p2p/{id}/p2p-circuit"),
            format!("/ip4/192.0.2.1/tcp/1/p2p/{id}"),
            format!("/ip4/192.0.2.1/tcp/1/p2p/{id}/p2p-circuit/p2p/{id}"),
            format!("/ip4/192.0.2.1/tcp/1/p2p/{id}/p2p-circuit/p2p/{id}/p2p-circuit"),
            "/ip4/192.0.2.1/tcp/1/p2p-circuit".to_owned(),
        ];
        for address in nowhere {
            assert_eq!(relay_of(&address.parse().unwrap()), None, "{address}");
        }
    }
}
