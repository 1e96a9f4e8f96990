use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use libp2p::PeerId;

/// What each peer has waiting here, of messages and bytes.
#[derive(Debug)]
pub(super) struct Charges {
    waiting: Mutex<HashMap<PeerId, (usize, usize)>>,
    messages: usize,
    bytes: usize,
}

/// What one message counts, until it is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    charges: Arc<Charges>,
    peer: PeerId,
    bytes: usize,
}

impl Charges {
    pub(super) fn new(messages: usize, bytes: usize) -> Arc<Charges> {
        Arc::new(Charges { waiting: Mutex::default(), messages, bytes })
    }

    /// Room for a message of this peer, if it has any left.
    pub(super) fn take(self: &Arc<Charges>, peer: PeerId, bytes: usize) -> Option<Arc<Charge>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (messages, sum) = waiting.get(&peer).copied().unwrap_or_default();
        if messages >= self.messages || sum + bytes > self.bytes {
            return None;
        }
        waiting.insert(peer, (messages + 1, sum + bytes));
        Some(Arc::new(Charge { charges: self.clone(), peer, bytes }))
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut waiting = self.charges.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((messages, bytes)) = waiting.get_mut(&self.peer) {
            *messages -= 1;
            *bytes -= self.bytes;
            if *messages == 0 {
                waiting.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_room_for_so_much_and_others_have_theirs() {
        let charges = Charges::new(2, 10);
        let (one, other) = (PeerId::random(), PeerId::random());
        let first = charges.take(one, 6).unwrap();
        assert!(charges.take(one, 5).is_none(), "too many bytes");
        let second = charges.take(one, 4).unwrap();
        assert!(charges.take(one, 0).is_none(), "too many messages");
        assert!(charges.take(other, 10).is_some());
        drop((first, second));
        assert!(charges.waiting.lock().unwrap().is_empty());
        assert!(charges.take(one, 10).is_some());
    }
}
