use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::AsyncWriteExt as _;
use libp2p::PeerId;
use tokio::{
    runtime,
    sync::watch,
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{
    BlockSource, PROTOCOL, SILENCE, Streams,
    message::{MAX_MESSAGE, Message, Want},
};
use crate::{Cid, network::hub::Known};

/// The bytes of blocks that one message should have; one block may be larger.
const FULL: usize = 512 << 10;
/// What a message needs beside one block.
const BESIDE: usize = 1024;
/// How long blocks gather that may be wanted.
const GATHER: Duration = Duration::from_millis(50);

/// Gives blocks to peers.
#[derive(Clone)]
pub(super) struct Server {
    serving: Arc<Serving>,
}

struct Serving {
    streams: Streams,
    blocks: Arc<dyn BlockSource>,
    wants: usize,
    peers: Mutex<HashMap<PeerId, Served>>,
}

/// What a peer wants.
#[derive(Default)]
struct Served {
    /// To be looked at.
    now: VecDeque<Want>,
    /// Not here, and to be sent when it comes.
    later: HashMap<Cid, Want>,
    /// Is somebody looking and sending?
    busy: bool,
}

impl Server {
    pub(super) fn start(
        streams: Streams,
        mut known: watch::Receiver<Known>,
        blocks: Arc<dyn BlockSource>,
        wants: usize,
        runtime: &runtime::Handle,
    ) -> Server {
        let serving = Arc::new(Serving { streams, blocks, wants, peers: Mutex::default() });
        let mut arrivals = serving.blocks.arrivals();
        let watching = serving.clone();
        runtime.spawn(async move {
            let mut arriving = true;
            loop {
                tokio::select! {
                    changed = known.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let known = known.borrow_and_update();
                        watching.peers().retain(|peer, _| known.peers.contains_key(peer));
                    }
                    changed = arrivals.changed(), if arriving => {
                        arriving = changed.is_ok();
                        sleep(GATHER).await;
                        arrivals.borrow_and_update();
                        watching.look_again();
                    }
                }
            }
        });
        Server { serving }
    }

    pub(super) async fn wanted(&self, peer: PeerId, wants: Vec<Want>, full: bool) {
        {
            let mut peers = self.serving.peers();
            let served = peers.entry(peer).or_default();
            if full {
                served.now.clear();
                served.later.clear();
            }
            for want in wants {
                if want.cancel {
                    served.now.retain(|waiting| waiting.cid != want.cid);
                    served.later.remove(&want.cid);
                } else if served.now.len() < self.serving.wants {
                    served.now.push_back(want);
                }
            }
        }
        self.serving.send_to(peer);
    }
}

impl Serving {
    fn peers(&self) -> MutexGuard<'_, HashMap<PeerId, Served>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was not here may be here now.
    fn look_again(self: &Arc<Serving>) {
        let mut waiting = Vec::new();
        for (peer, served) in self.peers().iter_mut() {
            if !served.later.is_empty() {
                let later: Vec<Want> = served.later.drain().map(|(_, want)| want).collect();
                // that it was not here was said
                served.now.extend(later.into_iter().map(|want| Want { send_dont_have: false, ..want }));
                waiting.push(*peer);
            }
        }
        for peer in waiting {
            self.send_to(peer);
        }
    }

    fn send_to(self: &Arc<Serving>, peer: PeerId) {
        let mut peers = self.peers();
        if let Some(served) = peers.get_mut(&peer)
            && !served.busy
            && !served.now.is_empty()
        {
            served.busy = true;
            tokio::spawn(self.clone().send(peer));
        }
    }

    async fn send(self: Arc<Serving>, peer: PeerId) {
        while let Some(message) = self.next_message(peer).await {
            let sent = async {
                let mut stream = self.streams.open(peer, PROTOCOL).await.ok()?;
                stream.write_all(&message.to_bytes()).await.ok()?;
                stream.close().await.ok()
            };
            if !matches!(timeout(SILENCE, sent).await, Ok(Some(()))) {
                // it is gone, or does not listen: it has to ask again
                if let Some(served) = self.peers().get_mut(&peer) {
                    *served = Served::default();
                }
                return;
            }
        }
    }

    /// The next message for a peer; without one, nobody is busy with it any more.
    async fn next_message(self: &Arc<Serving>, peer: PeerId) -> Option<Message> {
        let this = self.clone();
        match spawn_blocking(move || this.look(peer)).await {
            Ok(message) => message,
            // a source of blocks that panics
            Err(_) => {
                self.peers().remove(&peer);
                None
            }
        }
    }

    fn look(&self, peer: PeerId) -> Option<Message> {
        let mut message = Message::default();
        let mut bytes = 0;
        loop {
            let want = {
                let mut peers = self.peers();
                let served = peers.get_mut(&peer)?;
                match served.now.pop_front() {
                    Some(want) => want,
                    None if message == Message::default() => {
                        served.busy = false;
                        return None;
                    }
                    None => return Some(message),
                }
            };
            let found = self.blocks.block(&want.cid).filter(|block| block.len() + BESIDE <= MAX_MESSAGE);
            match found {
                Some(block) if want.block => {
                    bytes += block.len();
                    if bytes > FULL && !message.blocks.is_empty() {
                        if let Some(served) = self.peers().get_mut(&peer) {
                            served.now.push_front(want);
                        }
                        return Some(message);
                    }
                    message.blocks.push((want.cid, block));
                }
                Some(_) => message.presences.push((want.cid, true)),
                None => {
                    if want.send_dont_have {
                        message.presences.push((want.cid, false));
                    }
                    if let Some(served) = self.peers().get_mut(&peer)
                        && served.later.len() < self.wants
                    {
                        served.later.insert(want.cid, want);
                    }
                }
            }
        }
    }
}
