use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::AsyncWriteExt as _;
use libp2p::PeerId;
use tokio::{
    runtime,
    sync::{Notify, oneshot, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    FetchError, PROTOCOL, SILENCE, Streams,
    message::{Message, Want},
};
use crate::{Bytes, Cid, block::SHA2_256, network::hub::Known};

/// How long a peer may think before another one is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// A peer that has not got a block is asked again after so long, then twice as long, and so on, to the second of these.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long a peer that has let us wait is asked last.
const SLOW: Duration = Duration::from_secs(20);
/// So many blocks are asked of one peer at a time; JavaScript keeps at most 1,024.
const ASKED: usize = 512;
/// So many in one message.
const IN_A_MESSAGE: usize = 256;

type Digest = [u8; 32];

/// Asks peers for blocks.
#[derive(Clone)]
pub(super) struct Client {
    asking: Arc<Asking>,
}

struct Asking {
    streams: Streams,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    wants: HashMap<Digest, Wanted>,
    /// Peers that have let us wait, and until when they are asked last.
    slow: HashMap<PeerId, Instant>,
    ended: bool,
}

/// A block that somebody here waits for.
struct Wanted {
    cid: Cid,
    waiting: Vec<Waiting>,
    first: Vec<PeerId>,
    /// Who is to send it, and until when.
    asked: Option<(PeerId, Instant)>,
    /// How often peers were asked, and when they may be again.
    before: HashMap<PeerId, (u32, Instant)>,
}

/// Somebody here who waits for a block.
struct Waiting {
    found: oneshot::Sender<Bytes>,
    /// Even if nobody who is connected has it?
    patient: bool,
}

impl Client {
    pub(super) fn start(streams: Streams, known: watch::Receiver<Known>, runtime: &runtime::Handle) -> Client {
        let asking = Arc::new(Asking { streams, state: Mutex::default(), changed: Notify::new() });
        runtime.spawn(asking.clone().run(known));
        Client { asking }
    }

    /// Without patience it ends when nobody who is connected has the block.
    pub(super) async fn fetch(&self, cid: &Cid, first: &[PeerId], patient: bool) -> Result<Bytes, FetchError> {
        let digest = digest(cid).ok_or_else(|| FetchError::UnknownHash(Box::new(*cid)))?;
        let (found, block) = oneshot::channel();
        {
            let mut state = self.asking.state();
            if state.ended {
                return Err(FetchError::Closed);
            }
            let wanted = state.wants.entry(digest).or_insert_with(|| Wanted {
                cid: *cid,
                waiting: Vec::new(),
                first: Vec::new(),
                asked: None,
                before: HashMap::new(),
            });
            wanted.waiting.retain(|waiting| !waiting.found.is_closed());
            wanted.waiting.push(Waiting { found, patient });
            wanted.first = first.to_vec();
        }
        self.asking.changed.notify_one();
        let ended =
            || if self.asking.state().ended { FetchError::Closed } else { FetchError::NotFound(Box::new(*cid)) };
        block.await.map_err(|_| ended())
    }

    /// Blocks that nobody waits for are dropped.
    pub(super) fn received(&self, peer: PeerId, blocks: Vec<(Cid, Bytes)>, presences: Vec<(Cid, bool)>) {
        let mut state = self.asking.state();
        for (cid, data) in blocks {
            let Some(wanted) = digest(&cid).and_then(|digest| state.wants.remove(&digest)) else { continue };
            for waiting in wanted.waiting {
                let _ = waiting.found.send(data.clone());
            }
            state.slow.remove(&peer);
        }
        for (cid, have) in presences {
            if let Some(wanted) = digest(&cid).and_then(|digest| state.wants.get_mut(&digest))
                && !have
            {
                wanted.has_not(peer);
            }
        }
        drop(state);
        self.asking.changed.notify_one();
    }
}

impl Wanted {
    /// Has everyone who is not known to be slow said that it has not got it?
    fn was_denied(&self, peers: &[PeerId], slow: &HashMap<PeerId, Instant>) -> bool {
        let denied = |peer: &PeerId| self.before.contains_key(peer);
        let quick = |peer: &&PeerId| !slow.contains_key(*peer);
        peers.iter().all(|peer| denied(peer) || slow.contains_key(peer))
            && (peers.iter().filter(quick).any(denied) || peers.iter().all(denied))
    }

    /// This peer has not got it, or does not answer.
    fn has_not(&mut self, peer: PeerId) {
        let tries = self.before.get(&peer).map_or(0, |(tries, _)| *tries);
        let pause = AGAIN.0.saturating_mul(1 << tries.min(16)).min(AGAIN.1);
        self.before.insert(peer, (tries + 1, Instant::now() + pause));
        if self.asked.is_some_and(|(asked, _)| asked == peer) {
            self.asked = None;
        }
    }
}

impl Asking {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Asking>, mut known: watch::Receiver<Known>) {
        loop {
            let peers: Vec<PeerId> = known.borrow_and_update().peers.keys().copied().collect();
            let (asks, next) = self.state().plan(&peers, Instant::now());
            for (peer, wants) in asks {
                tokio::spawn(self.clone().ask(peer, wants));
            }
            let next = next.map_or(Duration::from_secs(60), |next| next.saturating_duration_since(Instant::now()));
            tokio::select! {
                () = self.changed.notified() => {}
                changed = known.changed() => if changed.is_err() { break },
                () = sleep(next.max(Duration::from_millis(20))) => {}
            }
        }
        let mut state = self.state();
        state.ended = true;
        state.wants.clear();
    }

    async fn ask(self: Arc<Asking>, peer: PeerId, wants: Vec<Cid>) {
        let list = wants.iter().map(|cid| Want { cid: *cid, cancel: false, block: true, send_dont_have: true });
        let message = Message { wants: list.collect(), ..Message::default() }.to_bytes();
        let sent = async {
            let mut stream = self.streams.open(peer, PROTOCOL).await.ok()?;
            stream.write_all(&message).await.ok()?;
            stream.close().await.ok()
        };
        if !matches!(timeout(SILENCE, sent).await, Ok(Some(()))) {
            let mut state = self.state();
            for cid in wants {
                if let Some(wanted) = digest(&cid).and_then(|digest| state.wants.get_mut(&digest)) {
                    wanted.has_not(peer);
                }
            }
            drop(state);
            self.changed.notify_one();
        }
    }
}

impl State {
    /// Whom to ask for what now, and when to look again.
    fn plan(&mut self, peers: &[PeerId], now: Instant) -> (Vec<(PeerId, Vec<Cid>)>, Option<Instant>) {
        for wanted in self.wants.values_mut() {
            wanted.waiting.retain(|waiting| !waiting.found.is_closed());
        }
        self.wants.retain(|_, wanted| !wanted.waiting.is_empty());
        self.slow.retain(|peer, until| *until > now && peers.contains(peer));
        let mut busy: HashMap<PeerId, usize> = HashMap::new();
        for wanted in self.wants.values_mut() {
            if let Some((peer, until)) = wanted.asked {
                if until <= now || !peers.contains(&peer) {
                    if peers.contains(&peer) {
                        self.slow.insert(peer, now + SLOW);
                    }
                    wanted.has_not(peer);
                } else {
                    *busy.entry(peer).or_default() += 1;
                }
            }
            wanted.before.retain(|peer, _| peers.contains(peer));
        }
        let mut asks: HashMap<PeerId, Vec<Cid>> = HashMap::new();
        let mut next: Option<Instant> = None;
        let mut look_at = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        for wanted in self.wants.values_mut() {
            if let Some((_, until)) = wanted.asked {
                look_at(until);
                continue;
            }
            let mut may: Option<(PeerId, (bool, u32, bool, usize))> = None;
            for peer in peers {
                let (tries, again) = wanted.before.get(peer).copied().unwrap_or((0, now));
                if again > now {
                    look_at(again);
                    continue;
                }
                let load = busy.get(peer).copied().unwrap_or(0);
                if load >= ASKED {
                    // an answer, or the want of one, brings it here again
                    continue;
                }
                if self.slow.contains_key(peer) && wanted.was_denied(peers, &self.slow) {
                    // whoever is patient has it asked when others have been asked again, or it is not slow any more
                    look_at(self.slow.get(peer).copied().unwrap_or(now));
                    continue;
                }
                let rank = (self.slow.contains_key(peer), tries, !wanted.first.contains(peer), load);
                if may.is_none_or(|(_, best)| rank < best) {
                    may = Some((*peer, rank));
                }
            }
            if let Some((peer, _)) = may {
                wanted.asked = Some((peer, now + PATIENCE));
                look_at(now + PATIENCE);
                *busy.entry(peer).or_default() += 1;
                asks.entry(peer).or_default().push(wanted.cid);
            } else if wanted.was_denied(peers, &self.slow) {
                wanted.waiting.retain(|waiting| waiting.patient);
            }
        }
        let mut messages = Vec::new();
        for (peer, cids) in asks {
            messages.extend(cids.chunks(IN_A_MESSAGE).map(|chunk| (peer, chunk.to_vec())));
        }
        (messages, next)
    }
}

fn digest(cid: &Cid) -> Option<Digest> {
    if cid.hash().code() == SHA2_256 { cid.hash().digest().try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::sha256;
    use cid::multihash::Multihash;

    fn state(first: &[PeerId]) -> (State, Cid, oneshot::Receiver<Bytes>) {
        let cid = Cid::new_v1(0x71, Multihash::wrap(SHA2_256, &sha256(b"x")).unwrap());
        let (found, block) = oneshot::channel();
        let mut state = State::default();
        let (waiting, before) = (vec![Waiting { found, patient: true }], HashMap::new());
        let wanted = Wanted { cid, waiting, first: first.to_vec(), asked: None, before };
        state.wants.insert(digest(&cid).unwrap(), wanted);
        (state, cid, block)
    }

    #[test]
    fn one_peer_is_asked_then_the_next_then_the_first_again() {
        let peers = [PeerId::random(), PeerId::random()];
        let (mut state, cid, _block) = state(&peers[1..]);
        let now = Instant::now();
        assert_eq!(state.plan(&peers, now).0, [(peers[1], vec![cid])]);
        assert_eq!(state.plan(&peers, now), (vec![], Some(now + PATIENCE)));
        // no answer
        let later = now + PATIENCE;
        assert_eq!(state.plan(&peers, later).0, [(peers[0], vec![cid])]);
        // and a "no"
        state.wants.values_mut().next().unwrap().has_not(peers[0]);
        let (asks, next) = state.plan(&peers, Instant::now());
        assert!(asks.is_empty() && next.is_some());
        let much_later = Instant::now() + 2 * AGAIN.0;
        assert_eq!(state.plan(&peers, much_later).0, [(peers[0], vec![cid])], "the slow one last");
    }

    #[test]
    fn what_nobody_waits_for_is_forgotten() {
        let (mut state, _, block) = state(&[]);
        drop(block);
        assert!(state.plan(&[PeerId::random()], Instant::now()).0.is_empty());
        assert!(state.wants.is_empty());
    }

    #[test]
    fn a_peer_is_asked_for_so_much_at_a_time() {
        let peer = PeerId::random();
        let (found, mut blocks) = ((0..2 * ASKED as u32), Vec::new());
        let mut state = State::default();
        for number in found {
            let cid = Cid::new_v1(0x71, Multihash::wrap(SHA2_256, &sha256(&number.to_be_bytes())).unwrap());
            let (found, block) = oneshot::channel();
            blocks.push(block);
            let (waiting, before) = (vec![Waiting { found, patient: true }], HashMap::new());
            state.wants.insert(digest(&cid).unwrap(), Wanted { cid, waiting, first: vec![], asked: None, before });
        }
        let (asks, _) = state.plan(&[peer], Instant::now());
        assert_eq!(asks.iter().map(|(_, wants)| wants.len()).sum::<usize>(), ASKED);
        assert!(asks.iter().all(|(_, wants)| wants.len() <= IN_A_MESSAGE));
    }
}
