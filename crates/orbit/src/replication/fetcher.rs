use super::replica::{Parts, is_new};
use crate::{Entry, Hash, ReadDocuments as _, ReadError, Snapshot, Wanted};
use debros_ipfs::{Bytes, PeerId};
use futures::{StreamExt as _, stream::FuturesUnordered};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// So many blocks are waited for at a time.
const AT_A_TIME: usize = 64;
/// Half of that, of blocks that have been waited for in vain: others are not to wait behind them.
const IN_VAIN: usize = AT_A_TIME / 2;
/// So long a block is waited for, the first time and later.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));
/// The first pause before a block is asked for again, doubled until the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(300));
/// Nodes of our kind send what is missing by themselves; so long they are waited for, before anyone is asked for a block.
const BY_ITSELF: Duration = Duration::from_millis(500);
/// What was fetched is stored when it is so much, or nothing more has come for so long.
const BATCH_ENTRIES: usize = 1024;
const BATCH_BYTES: usize = 2 << 20;
const GATHER: Duration = Duration::from_millis(300);
/// So many blocks are looked for at a time; the limits of what is held back are below it.
pub(super) const MOST: usize = 4096;
/// So many ancestors of what was just fetched wait to be fetched.
const QUEUE: usize = 65_536;

/// Fetches what a database waits for, and nobody waits for it.
pub(super) struct Fetcher {
    parts: Arc<Parts>,
    peers: watch::Receiver<Vec<PeerId>>,
    /// How often a block was asked for, and when it may be again.
    tries: HashMap<Hash, (u32, Instant)>,
}

/// What was fetched and is to be stored.
#[derive(Default)]
struct Batch {
    identities: Vec<Vec<u8>>,
    entries: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    bytes: usize,
}

impl Fetcher {
    pub(super) fn new(parts: Arc<Parts>, peers: watch::Receiver<Vec<PeerId>>) -> Fetcher {
        Fetcher { parts, peers, tries: HashMap::new() }
    }

    /// Goes on until the node is closed.
    pub(super) async fn run(mut self) {
        loop {
            let Ok(next) = self.round().await else { return };
            let next = next.unwrap_or_else(|| Instant::now() + PAUSE.1);
            tokio::select! {
                () = self.parts.fetch.notified() => {}
                () = sleep_until(next) => {}
                changed = self.peers.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.hope();
                }
            }
        }
    }

    /// Somebody new may have what nobody had.
    fn hope(&mut self) {
        let now = Instant::now();
        self.tries.values_mut().for_each(|(_, again)| *again = now);
    }

    /// Fetches everything that may be fetched now. When there is something to do next.
    async fn round(&mut self) -> Result<Option<Instant>, ReadError> {
        let mut queue = Queue::default();
        let mut under_way = FuturesUnordered::new();
        let mut batch = Batch::default();
        let mut look = true;
        loop {
            if look {
                self.look(&mut queue)?;
                look = false;
            }
            while under_way.len() < AT_A_TIME
                && let Some((wanted, in_vain)) = queue.pop()
            {
                self.tried(wanted.hash(), PATIENCE.1);
                let (parts, peers) = (self.parts.clone(), self.peers.borrow().clone());
                let patience = if in_vain { PATIENCE.1 } else { PATIENCE.0 };
                under_way.push(async move {
                    let fetched = timeout(patience, parts.fetch(&wanted.hash(), &peers)).await;
                    (wanted, in_vain, fetched.ok().flatten())
                });
            }
            if batch.is_full() || (under_way.is_empty() && !batch.is_empty()) {
                self.store(&mut batch, &mut queue).await;
                look = true;
                continue;
            }
            if under_way.is_empty() {
                return Ok(self.tries.values().map(|(_, again)| *again).min());
            }
            let gathered = Instant::now() + GATHER;
            tokio::select! {
                Some((wanted, in_vain, block)) = under_way.next() => {
                    queue.ended(&wanted, in_vain, block.is_some());
                    match block {
                        Some(block) => self.fetched(wanted, &block, &mut batch, &mut queue)?,
                        None => self.failed(&wanted.hash()),
                    }
                }
                () = self.parts.fetch.notified() => look = true,
                () = sleep_until(gathered), if !batch.is_empty() => {
                    self.store(&mut batch, &mut queue).await;
                    look = true;
                }
            }
        }
    }

    /// Looks for what may be fetched now.
    fn look(&mut self, queue: &mut Queue) -> Result<(), ReadError> {
        let snapshot = self.parts.node.snapshot()?;
        if snapshot.core.log(&snapshot.state, self.parts.info.id)?.held == 0 {
            self.tries.clear();
            return Ok(());
        }
        let wanted = snapshot.wanted(Some(self.parts.info.id), MOST)?;
        let hashes: HashSet<Hash> = wanted.iter().map(Wanted::hash).collect();
        self.tries.retain(|hash, _| hashes.contains(hash) || queue.is_under_way(hash));
        let now = Instant::now();
        let comes = self.peers.borrow().iter().any(|peer| self.parts.is_ours(peer));
        for wanted in wanted {
            match self.tries.get(&wanted.hash()) {
                None if comes => drop(self.tries.insert(wanted.hash(), (0, now + BY_ITSELF))),
                None => queue.push(wanted, false),
                Some((tries, again)) if *again <= now => queue.push(wanted, *tries > 0),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// It is being asked for, which takes so long at most.
    fn tried(&mut self, hash: Hash, at_most: Duration) {
        let tries = self.tries.get(&hash).map_or(0, |(tries, _)| *tries);
        self.tries.insert(hash, (tries.saturating_add(1), Instant::now() + at_most + pause(tries)));
    }

    /// Nobody had it.
    fn failed(&mut self, hash: &Hash) {
        if let Some((tries, again)) = self.tries.get_mut(hash) {
            *again = Instant::now() + pause(tries.saturating_sub(1));
        }
    }

    /// Keeps what was fetched, and goes on to what it builds on.
    fn fetched(&self, wanted: Wanted, block: &Bytes, batch: &mut Batch, queue: &mut Queue) -> Result<(), ReadError> {
        batch.bytes += block.len();
        batch.hashes.push(wanted.hash());
        let Wanted::Entry(database, _) = wanted else {
            batch.identities.push(block.to_vec());
            return Ok(());
        };
        let snapshot = self.parts.node.snapshot()?;
        let encryption = self.parts.node.encryption(&self.parts.info.address);
        // what cannot be opened is kept, and leads nowhere
        let opened = encryption.open_block(block).unwrap_or_default();
        let links = Entry::links_of(&opened);
        for link in links.next.into_iter().chain(links.refs) {
            if queue.has_room() && self.is_missing(&snapshot, &link) {
                queue.push(Wanted::Entry(database, link), false);
            }
        }
        if let Ok(entry) = Entry::decode(&opened) {
            let identity = entry.identity();
            if snapshot.core.author_of(&snapshot.state, &identity)?.is_none() {
                queue.push(Wanted::Identity(identity), false);
            }
        }
        batch.entries.push(block.to_vec());
        Ok(())
    }

    fn is_missing(&self, snapshot: &Snapshot, link: &Hash) -> bool {
        // what cannot be read now is found missing, or not, by the next look
        is_new(snapshot, &self.parts.info, link).unwrap_or(false)
    }

    async fn store(&self, batch: &mut Batch, queue: &mut Queue) {
        let Batch { identities, entries, hashes, .. } = std::mem::take(batch);
        // an error is the store's; what was fetched is wanted still
        if let Ok(receipt) = self.parts.node.receive(self.parts.info.id, "bitswap", identities, entries).await {
            self.parts.received(None, receipt);
        }
        for hash in hashes {
            queue.seen.remove(&hash);
        }
    }
}

/// How long after so many tries.
fn pause(tries: u32) -> Duration {
    PAUSE.0.saturating_mul(1 << tries.min(16)).min(PAUSE.1)
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.identities.is_empty() && self.entries.is_empty()
    }

    fn is_full(&self) -> bool {
        self.entries.len() + self.identities.len() >= BATCH_ENTRIES || self.bytes >= BATCH_BYTES
    }
}

/// What is to be fetched in one round, each block once.
#[derive(Default)]
struct Queue {
    fresh: VecDeque<Wanted>,
    again: VecDeque<Wanted>,
    seen: HashSet<Hash>,
    in_vain: usize,
}

impl Queue {
    fn push(&mut self, wanted: Wanted, in_vain: bool) {
        if self.seen.insert(wanted.hash()) {
            let queue = if in_vain { &mut self.again } else { &mut self.fresh };
            queue.push_back(wanted);
        }
    }

    fn pop(&mut self) -> Option<(Wanted, bool)> {
        if let Some(wanted) = self.fresh.pop_front() {
            return Some((wanted, false));
        }
        let wanted = if self.in_vain < IN_VAIN { self.again.pop_front() } else { None };
        self.in_vain += usize::from(wanted.is_some());
        wanted.map(|wanted| (wanted, true))
    }

    fn ended(&mut self, wanted: &Wanted, in_vain: bool, is_fetched: bool) {
        self.in_vain -= usize::from(in_vain);
        if !is_fetched {
            self.seen.remove(&wanted.hash());
        }
    }

    fn is_under_way(&self, hash: &Hash) -> bool {
        self.seen.contains(hash)
    }

    fn has_room(&self) -> bool {
        self.fresh.len() < QUEUE
    }
}
