use debros_ipfs::PeerId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many exchanges may be under way at a time: of all peers, and of one, so that a peer that does not go on keeps
/// others waiting as little as may be.
pub(super) struct Slots {
    all: Arc<Semaphore>,
    of_peer: usize,
    peers: Mutex<HashMap<PeerId, Arc<Semaphore>>>,
}

/// One of them, until it is dropped.
pub(super) struct Slot {
    _permits: [OwnedSemaphorePermit; 2],
}

impl Slots {
    pub(super) fn new(all: usize, of_peer: usize) -> Slots {
        Slots { all: Arc::new(Semaphore::new(all)), of_peer, peers: Mutex::default() }
    }

    /// Waits until there is one. `None` only if there never will be.
    pub(super) async fn take(&self, peer: PeerId) -> Option<Slot> {
        let of_peer = {
            let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
            // whoever holds one, or waits for it, has a handle, too
            peers.retain(|_, permits| Arc::strong_count(permits) > 1);
            peers.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(self.of_peer))).clone()
        };
        // its own first: while it waits for that, it takes nothing from others
        let own = of_peer.acquire_owned().await.ok()?;
        let all = self.all.clone().acquire_owned().await.ok()?;
        Some(Slot { _permits: [own, all] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[test]
    fn a_peer_that_holds_all_of_its_own_leaves_some_to_others() {
        let slots = Slots::new(3, 2);
        let (greedy, other, third) = (PeerId::random(), PeerId::random(), PeerId::random());
        let take = |peer| slots.take(peer).now_or_never().flatten();
        let held = [take(greedy), take(greedy)];
        assert!(held.iter().all(Option::is_some));
        assert!(take(greedy).is_none());
        let last = take(other);
        assert!(last.is_some() && take(third).is_none(), "three at most");
        drop(held);
        assert!(take(third).is_some());
    }
}
