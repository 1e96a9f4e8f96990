use super::{announcer::GONE, peerings::Staying, rate::Rate, reach::Reach};
use lru::LruCache;
use std::{
    collections::HashMap,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

/// So many daemons are known,
const KNOWN: NonZeroUsize = NonZeroUsize::new(64).expect("some");
/// and with so many of them a connection is to stay.
const STAY: usize = 16;
/// A daemon is connected to again after so long, if it is heard and there is no connection.
const AGAIN: Duration = Duration::from_secs(120);
/// So often one is connected to, and so many at once.
const CONNECTED: (Duration, u32) = (Duration::from_secs(10), 8);
/// So many of its addresses are tried.
const ADDRESSES: usize = 6;

/// The daemons of others, as they tell of themselves: decides to which the daemon is to be connected. It does nothing itself.
///
/// What a daemon is told to dial is bounded, as anybody may tell anything of themselves; and of others they can tell nothing, because an address has to
/// end with the id of the daemon that has signed the message.
#[derive(Debug)]
pub(super) struct Acquaintances {
    known: LruCache<String, Known>,
    /// Where those are with whom a connection is to stay.
    staying: HashMap<String, Known>,
    rate: Rate,
}

#[derive(Debug)]
struct Known {
    addresses: Vec<String>,
    heard: Instant,
    again: Instant,
}

impl Acquaintances {
    pub(super) fn new() -> Acquaintances {
        let rate = Rate::new(CONNECTED.0, CONNECTED.1);
        Acquaintances { known: LruCache::new(KNOWN), staying: HashMap::new(), rate }
    }

    /// A daemon is heard, and tells where it is. Where it is to be connected to now, unless it is.
    pub(super) fn heard(&mut self, peer: &str, addresses: &[String], now: Instant) -> Option<Vec<String>> {
        let addresses = Reach::best(addresses, peer, ADDRESSES);
        if addresses.is_empty() {
            return None;
        }
        if let Some(staying) = self.staying.get_mut(peer) {
            // the daemon looks after it itself
            (staying.addresses, staying.heard) = (addresses, now);
            return None;
        }
        let new = || Known { addresses: Vec::new(), heard: now, again: now };
        let known = self.known.get_or_insert_mut(peer.to_owned(), new);
        (known.addresses, known.heard) = (addresses, now);
        if known.again > now || !self.rate.take(now) {
            return None;
        }
        known.again = now + AGAIN;
        Some(known.addresses.clone())
    }

    /// A daemon has what is here, or has delivered what was not: a connection is to stay. Whether it need not before.
    pub(super) fn is_good(&mut self, peer: &str) -> bool {
        if self.staying.len() >= STAY {
            return false;
        }
        let Some(known) = self.known.pop(peer) else { return false };
        self.staying.insert(peer.to_owned(), known);
        true
    }

    /// With those who are gone no connection needs to stay. Whether there were some.
    pub(super) fn let_go(&mut self, now: Instant) -> bool {
        let before = self.staying.len();
        self.staying.retain(|_, known| now.saturating_duration_since(known.heard) < GONE);
        self.staying.len() < before
    }

    /// Where those are with whom a connection is to stay.
    pub(super) fn staying(&self) -> Staying {
        self.staying.iter().map(|(peer, known)| (peer.clone(), known.addresses.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(peer: &str) -> Vec<String> {
        vec![format!("/ip4/192.0.2.1/tcp/4001/p2p/{peer}")]
    }

    #[test]
    fn who_is_heard_is_connected_to_and_not_at_once_again() {
        let (mut all, now) = (Acquaintances::new(), Instant::now());
        assert_eq!(all.heard("a", &at("a"), now), Some(at("a")));
        assert_eq!(all.heard("a", &at("a"), now), None);
        assert_eq!(all.heard("a", &at("a"), now + AGAIN), Some(at("a")));
        // many of them, less and less
        let many = (0..100).filter(|n| all.heard(&n.to_string(), &at(&n.to_string()), now + AGAIN).is_some()).count();
        assert!(many < 8, "{many}");
    }

    #[test]
    fn nobody_tells_of_others_or_too_much() {
        let (mut all, now) = (Acquaintances::new(), Instant::now());
        assert_eq!(all.heard("a", &at("b"), now), None);
        assert!(!all.is_good("a"));
        let many: Vec<String> = (1..9).map(|port| format!("/ip4/192.0.2.1/tcp/{port}/p2p/a")).collect();
        assert_eq!(all.heard("a", &many, now).map(|addresses| addresses.len()), Some(ADDRESSES));
    }

    #[test]
    fn connections_stay_with_some_who_are_good() {
        let (mut all, now) = (Acquaintances::new(), Instant::now());
        let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        for name in &names {
            all.heard(name, &at(name), now);
        }
        assert_eq!(names.iter().filter(|name| all.is_good(name)).count(), STAY);
        assert_eq!(all.staying().len(), STAY);
        assert!(!all.is_good("0"), "it stays already");
        // strangers push nobody out
        for n in 100..1_000 {
            all.heard(&n.to_string(), &at(&n.to_string()), now);
        }
        assert_eq!(all.staying().len(), STAY);
        // but who is silent makes room
        all.heard("0", &at("0"), now + GONE);
        assert!(all.let_go(now + GONE) && !all.let_go(now + GONE));
        assert_eq!(all.staying().into_keys().collect::<Vec<_>>(), ["0"]);
    }
}
