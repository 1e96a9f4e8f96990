use debros_ipfs::PeerId;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// A peer with so many faults is refused.
const MOST: u32 = 100;
/// So long it takes until one fault is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(1);
/// How long a peer is refused the first time, doubled each time until the longest.
const REFUSED: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(24 * 3600));
/// Of so many peers it is remembered how they behaved.
const REMEMBERED: usize = 4096;

/// What a peer did that no honest one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It sent an entry that none should have made, or something that is none.
    Forged,
    /// It did not keep to the protocol.
    Protocol,
}

impl Fault {
    /// How much it counts. An honest peer may pass on something that it did not know to be wrong; it speaks the protocol.
    fn weight(self) -> u32 {
        match self {
            Fault::Forged => 1,
            Fault::Protocol => 10,
        }
    }
}

/// How peers behave: who does too much wrong is refused for some time. It refuses nobody itself.
#[derive(Debug, Default)]
pub(super) struct Conduct {
    peers: HashMap<PeerId, Record>,
}

#[derive(Debug)]
struct Record {
    faults: u32,
    /// When they were counted last.
    at: Instant,
    /// Until when it is refused, and how often it was.
    until: Option<Instant>,
    times: u32,
}

impl Conduct {
    /// A peer has done something wrong, so many times. For how long it is to be refused from now on, if it is.
    pub(super) fn fault(&mut self, peer: PeerId, fault: Fault, count: u32, now: Instant) -> Option<Duration> {
        if self.peers.len() >= REMEMBERED && !self.peers.contains_key(&peer) {
            self.peers.retain(|_, record| record.until.is_some() || record.faults_at(now) > 0);
            // so many that did wrong a moment ago: the oldest of them go
            // one that is refused is remembered, to be let in again
            if self.peers.len() >= REMEMBERED {
                let free = self.peers.iter().filter(|(_, record)| record.until.is_none());
                let oldest = free.min_by_key(|(_, record)| record.at).map(|(peer, _)| *peer)?;
                self.peers.remove(&oldest);
            }
        }
        let record = self.peers.entry(peer).or_insert(Record { faults: 0, at: now, until: None, times: 0 });
        if record.until.is_some() {
            return None;
        }
        record.faults = record.faults_at(now).saturating_add(fault.weight().saturating_mul(count));
        record.at = now;
        if record.faults < MOST {
            return None;
        }
        let refused = REFUSED.0.saturating_mul(1 << record.times.min(16)).min(REFUSED.1);
        (record.until, record.faults) = (Some(now + refused), 0);
        record.times = record.times.saturating_add(1);
        Some(refused)
    }

    /// Who is refused no more by now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<PeerId> {
        let due = self.peers.iter_mut().filter(|(_, record)| record.until.is_some_and(|until| until <= now));
        due.map(|(peer, record)| {
            record.until = None;
            *peer
        })
        .collect()
    }

    /// When the next one is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.peers.values().filter_map(|record| record.until).min()
    }
}

impl Record {
    fn faults_at(&self, now: Instant) -> u32 {
        let forgotten = now.saturating_duration_since(self.at).as_secs() / FORGOTTEN.as_secs();
        self.faults.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_wrong_again_and_again_is_refused_for_longer_and_longer() {
        let (mut conduct, peer, mut now) = (Conduct::default(), PeerId::random(), Instant::now());
        for minutes in [10, 20, 40] {
            assert_eq!(conduct.fault(peer, Fault::Forged, MOST - 1, now), None);
            assert_eq!(conduct.next(), None);
            let refused = Duration::from_secs(60 * minutes);
            assert_eq!(conduct.fault(peer, Fault::Protocol, 1, now), Some(refused));
            assert_eq!(conduct.fault(peer, Fault::Protocol, 100, now), None, "it is refused already");
            assert_eq!((conduct.next(), conduct.due(now)), (Some(now + refused), vec![]));
            now += refused;
            assert_eq!(conduct.due(now), [peer]);
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let (mut conduct, peer, mut now) = (Conduct::default(), PeerId::random(), Instant::now());
        for _ in 0..1000 {
            assert_eq!(conduct.fault(peer, Fault::Protocol, 1, now), None);
            now += Duration::from_secs(10);
        }
    }

    #[test]
    fn only_so_many_are_remembered() {
        let (mut conduct, now) = (Conduct::default(), Instant::now());
        for _ in 0..2 * REMEMBERED {
            conduct.fault(PeerId::random(), Fault::Protocol, 100, now);
        }
        assert_eq!(conduct.peers.len(), REMEMBERED);
    }
}
