use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use libp2p::PeerId;

/// Who has a reservation at this relay, and until when. (libp2p's own count refuses to renew when the last place is taken, so that a relay
/// that is full loses those whom it has.)
#[derive(Clone, Debug)]
pub(super) struct Places {
    most: usize,
    lasts: Duration,
    taken: Arc<Mutex<HashMap<PeerId, Instant>>>,
}

impl Places {
    pub(super) fn new(most: usize, lasts: Duration) -> Places {
        Places { most, lasts, taken: Arc::default() }
    }

    /// A place for this peer, or its old one anew, if there is any left.
    pub(super) fn take(&self, peer: PeerId, now: Instant) -> bool {
        let mut taken = self.taken();
        taken.retain(|_, until| *until > now);
        if taken.len() >= self.most && !taken.contains_key(&peer) {
            return false;
        }
        taken.insert(peer, now + self.lasts);
        true
    }

    /// The peer has gone.
    pub(super) fn leave(&self, peer: &PeerId) {
        self.taken().remove(peer);
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<PeerId, Instant>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_relay_keeps_those_whom_it_has() {
        let lasts = Duration::from_secs(60);
        let (places, now) = (Places::new(2, lasts), Instant::now());
        let [one, two, three] = [(); 3].map(|()| PeerId::random());
        assert!(places.take(one, now) && places.take(two, now) && !places.take(three, now));
        assert!(places.take(one, now + lasts / 2), "renewed");
        assert!(places.take(three, now + lasts), "of two, who did not come again");
        assert!(!places.take(two, now + lasts));
        places.leave(&one);
        assert!(places.take(two, now + lasts));
    }
}
