use debros_ipfs::PeerId;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// What peers were to have, they have not so far. It is durable in the local folder, and peers get it as soon as that can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is stored and durable in the local folder, but of the {wanted} peers that should have it, {acknowledged} have said within {within:?} that they do; others get it as soon as they are there, and it is not to be written again"
)]
#[non_exhaustive]
pub struct NotReplicated {
    /// How many peers should have it.
    pub wanted: usize,
    /// How many have said that they do.
    pub acknowledged: usize,
    /// How long was waited.
    pub within: Duration,
}

/// Who waits until peers have what is in a log at some moment: an exchange that began later, after which the peer has the heads
/// that it was told then, says that it does.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// The peers that have it. Nobody waits any more when nobody looks.
    by: watch::Sender<HashSet<PeerId>>,
}

impl Acknowledgements {
    /// Notes the peers that have what is in the log now.
    pub(super) fn note(&mut self, by: watch::Sender<HashSet<PeerId>>, now: Instant) {
        self.waiting.retain(|waiting| !waiting.by.is_closed());
        self.waiting.push(Waiting { since: now, by });
    }

    /// A peer has everything that was in the log at this moment.
    pub(super) fn has(&mut self, peer: PeerId, at: Instant) {
        self.waiting.retain(|waiting| !waiting.by.is_closed());
        for waiting in self.waiting.iter().filter(|waiting| waiting.since <= at) {
            waiting.by.send_if_modified(|by| by.insert(peer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_counts_once_and_only_for_what_was_there() {
        let (mut all, now) = (Acknowledgements::default(), Instant::now());
        let later = now + Duration::from_millis(1);
        let [(first, early), (second, late)] = [(); 2].map(|()| watch::channel(HashSet::new()));
        let counts = || (early.borrow().len(), late.borrow().len());
        all.note(first, now);
        all.note(second, later);
        let (one, two) = (PeerId::random(), PeerId::random());
        all.has(one, now);
        assert_eq!(counts(), (1, 0));
        all.has(one, later);
        assert_eq!(counts(), (1, 1));
        all.has(two, later);
        assert_eq!(counts(), (2, 2));
        drop(early);
        all.has(two, later);
        assert_eq!(all.waiting.len(), 1);
    }
}
