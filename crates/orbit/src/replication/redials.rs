use debros_ipfs::{Multiaddr, PeerId};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The first pause before a peer is dialled again, doubled until the longest.
pub(super) const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The peers that were dialled here and are to stay connected: when to dial them again. It dials nobody itself.
#[derive(Debug, Default)]
pub(super) struct Redials {
    peers: HashMap<PeerId, Kept>,
}

/// So many addresses of one peer are kept.
const ADDRESSES: usize = 8;

#[derive(Debug)]
struct Kept {
    /// Where it was reached, or may be.
    addresses: Vec<Multiaddr>,
    /// When it is dialled again; `None` while it is connected, or being dialled.
    due: Option<Instant>,
    tries: u32,
}

impl Redials {
    /// A peer may be reached at this address, and is to stay connected.
    pub(super) fn keep(&mut self, peer: PeerId, address: Multiaddr) {
        let kept = self.peers.entry(peer).or_insert(Kept { addresses: Vec::new(), due: None, tries: 0 });
        if !kept.addresses.contains(&address) {
            kept.addresses.insert(0, address);
            kept.addresses.truncate(ADDRESSES);
        }
    }

    /// It need not.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// It is connected.
    pub(super) fn connected(&mut self, peer: &PeerId) {
        if let Some(kept) = self.peers.get_mut(peer) {
            (kept.due, kept.tries) = (None, 0);
        }
    }

    /// It is not connected any more, or could not be reached.
    pub(super) fn lost(&mut self, peer: &PeerId, now: Instant) {
        if let Some(kept) = self.peers.get_mut(peer) {
            kept.due = Some(now + PAUSE.0.saturating_mul(1 << kept.tries.min(16)).min(PAUSE.1));
            kept.tries = kept.tries.saturating_add(1);
        }
    }

    /// Whom to dial by now, at the first of these addresses where it is.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let due = self.peers.iter_mut().filter(|(_, kept)| kept.due.is_some_and(|due| due <= now));
        due.map(|(peer, kept)| {
            kept.due = None;
            (*peer, kept.addresses.clone())
        })
        .collect()
    }

    /// When there is somebody to dial next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.peers.values().filter_map(|kept| kept.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_dialled_again_after_longer_and_longer_pauses() {
        let (mut redials, peer, address) = (Redials::default(), PeerId::random(), Multiaddr::empty());
        let mut now = Instant::now();
        redials.lost(&peer, now);
        assert_eq!(redials.next(), None, "nobody asked for it");
        redials.keep(peer, address.clone());
        assert_eq!(redials.next(), None, "it is connected");
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            redials.lost(&peer, now);
            let due = now + Duration::from_secs(pause);
            assert_eq!(redials.next(), Some(due));
            assert_eq!(redials.due(due - Duration::from_millis(1)), []);
            assert_eq!(redials.due(due), [(peer, vec![address.clone()])]);
            assert_eq!(redials.due(due), [], "being dialled");
            now = due;
        }
        redials.connected(&peer);
        redials.lost(&peer, now);
        assert_eq!(redials.next(), Some(now + PAUSE.0), "from the beginning");
        // an address more does not take the place of one that is good
        let another: Multiaddr = "/ip4/192.0.2.1/tcp/1".parse().unwrap();
        redials.keep(peer, another.clone());
        redials.keep(peer, address.clone());
        assert_eq!(redials.due(now + PAUSE.0), [(peer, vec![another, address])]);
        redials.forget(&peer);
        assert_eq!(redials.next(), None);
    }
}
