use super::{
    super::{
        clocks::Clocks,
        exchange::{Exchange, Step},
        fetch_plan::{Fetch, FetchPlan, builds_on},
        fetcher::MOST,
        heads_protocol::fitting,
        message::Message,
        replica::{ANSWERS, PUBLISHED},
        replicator::{Action, Exchanged, Replicator},
        standing::{forged, has_joined, is_new, is_refused, judge, judge_known, lacking, look},
        supply::Supply,
    },
    packet::Packet,
};
use crate::{
    DatabaseInfo, DatabaseSpec, Durability, Hash, Identity, NoSchema, Node, NodeOptions, Payload, ReadDocuments as _,
    Receipt, ReceiveError, Snapshot, StoreOptions, Wanted, WriteError,
};
use debros_ipfs::{Bytes, CommitError, PeerId, Verdict};
use futures::executor::block_on;
use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::sync::watch;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// So long JavaScript's exchange may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node of our kind: the real store, with everything that decides, and this in place of the network and its tasks.
pub(super) struct OurNode {
    here: PeerId,
    pub(super) folder: PathBuf,
    pub(super) writer: Identity,
    specs: Arc<Vec<DatabaseSpec>>,
    /// Which peers are of our kind.
    ours: Arc<BTreeSet<PeerId>>,
    /// Streams and fetches are numbered on, whatever happens.
    last: u64,
    /// While it runs.
    pub(super) running: Option<Running>,
    /// Where writes lie that were not synced when they were answered: from and to which byte of the last segment.
    unsynced: Vec<(u64, u64)>,
    synced: u64,
}

pub(super) struct Running {
    pub(super) node: Node,
    pub(super) replicas: BTreeMap<usize, Replica>,
    connected: BTreeSet<PeerId>,
    streams: BTreeMap<u64, Stream>,
    fetches: BTreeMap<u64, Asked>,
    /// Tells when heads may be others.
    commits: watch::Receiver<u64>,
    /// The messages of topics that it has seen.
    messages: BTreeSet<Hash>,
}

/// What the driver and the tasks of a database keep.
pub(super) struct Replica {
    pub(super) info: Arc<DatabaseInfo>,
    replicator: Replicator,
    plan: FetchPlan,
    /// With whom an exchange was begun here.
    with: BTreeSet<PeerId>,
    answering: BTreeMap<PeerId, usize>,
    /// There may be something to fetch.
    fetch: bool,
}

struct Stream {
    database: usize,
    peer: PeerId,
    /// Was it begun here?
    begun: bool,
    what: Exchanging,
}

enum Exchanging {
    Ours(Box<Exchange>),
    /// What is published if the peer does not have it, and until when.
    JavaScript(Vec<Bytes>, Instant),
}

/// A block that peers are asked for.
struct Asked {
    database: usize,
    fetch: Fetch,
    peers: BTreeSet<PeerId>,
    until: Instant,
}

/// What leaves a node.
pub(super) type Outbox = Vec<(PeerId, Packet)>;

impl OurNode {
    pub(super) fn new(
        here: PeerId,
        folder: PathBuf,
        writer: Identity,
        specs: Arc<Vec<DatabaseSpec>>,
        ours: Arc<BTreeSet<PeerId>>,
        last: u64,
    ) -> OurNode {
        OurNode { here, folder, writer, specs, ours, last, running: None, unsynced: Vec::new(), synced: 0 }
    }

    pub(super) fn open(&mut self) -> Result<()> {
        let mut store = StoreOptions::default();
        // what the time of day decides would not be the same again
        (store.checkpoint_idle, store.block_cache, store.cache_size) = (Duration::from_secs(1 << 20), 1 << 20, 1 << 20);
        let options = NodeOptions { store, ..NodeOptions::default() };
        let node = Node::open(&self.folder, options, Arc::new(NoSchema))?;
        block_on(node.settle());
        let specs = self.specs.clone();
        let ids = block_on(node.write(Durability::Local, move |writer| {
            specs.iter().map(|spec| writer.open(spec)).collect::<std::result::Result<Vec<_>, _>>()
        }))?;
        let snapshot = node.snapshot()?;
        let mut replicas = BTreeMap::new();
        for (database, id) in ids.into_iter().enumerate() {
            let replicator = Replicator::new(snapshot.heads(id)?);
            let (info, plan) = (snapshot.info(id)?, FetchPlan::default());
            let (with, answering) = (BTreeSet::new(), BTreeMap::new());
            replicas.insert(database, Replica { info, replicator, plan, with, answering, fetch: true });
        }
        let mut commits = node.commits();
        commits.mark_changed();
        self.running = Some(Running {
            node,
            commits,
            replicas,
            connected: BTreeSet::new(),
            streams: BTreeMap::new(),
            fetches: BTreeMap::new(),
            messages: BTreeSet::new(),
        });
        self.synced()
    }

    /// Ends it as an exit does.
    pub(super) fn close(&mut self) -> Result<()> {
        if let Some(running) = self.running.take() {
            block_on(running.node.close())?;
        }
        self.unsynced.clear();
        Ok(())
    }

    /// Ends it as a power cut does: of what was not synced, so many writes are there yet, and a part of the next one, of a
    /// thousand.
    pub(super) fn kill(&mut self, kept: impl FnOnce(usize) -> usize, part: u64) -> Result<()> {
        self.running = None;
        let Some(segment) = last_segment(&self.folder)? else { return Ok(()) };
        let (from, to) = match self.unsynced.get(kept(self.unsynced.len() + 1)) {
            Some(write) => *write,
            // what was judged again by itself
            None => (self.unsynced.last().map_or(self.synced, |write| write.1), fs::metadata(&segment)?.len()),
        };
        fs::OpenOptions::new().write(true).open(segment)?.set_len(from + to.saturating_sub(from) * part / 1000)?;
        self.unsynced.clear();
        Ok(())
    }

    fn length(&self) -> Result<u64> {
        Ok(match last_segment(&self.folder)? {
            Some(segment) => fs::metadata(segment)?.len(),
            None => 0,
        })
    }

    fn synced(&mut self) -> Result<()> {
        self.unsynced.clear();
        self.synced = self.length()?;
        Ok(())
    }

    /// Writes, and gives the names of the entries; `None`, if that was denied.
    pub(super) fn write(
        &mut self,
        database: usize,
        durability: Durability,
        payloads: Vec<Payload>,
    ) -> Result<Option<Vec<Hash>>> {
        let writer = self.writer.clone();
        self.change(database, durability, move |job, id| {
            payloads.into_iter().map(|payload| job.append(id, &writer, payload)).collect()
        })
    }

    /// Grants a right, or revokes it; `None` if that was denied.
    pub(super) fn set_right(&mut self, database: usize, user: String, grants: bool) -> Result<Option<Vec<Hash>>> {
        let writer = self.writer.clone();
        self.change(database, Durability::Local, move |job, access| {
            let hash = match grants {
                true => job.grant(access, &writer, "write", &user)?,
                false => job.revoke(access, &writer, "write", &user)?,
            };
            Ok(hash.into_iter().collect())
        })
    }

    fn change(
        &mut self,
        database: usize,
        durability: Durability,
        change: impl FnOnce(&mut crate::Writer<'_>, crate::DatabaseId) -> Result<Vec<Hash>, WriteError> + Send + 'static,
    ) -> Result<Option<Vec<Hash>>> {
        let before = self.length()?;
        let Some(running) = &self.running else { return Ok(None) };
        let Some(replica) = running.replicas.get(&database) else { return Ok(None) };
        let id = replica.info.id;
        let done = block_on(running.node.write(durability, move |job| change(job, id)));
        block_on(running.node.settle());
        match done {
            Ok(hashes) => {
                match durability {
                    Durability::Local => self.synced()?,
                    _ => self.unsynced.push((before, self.length()?)),
                }
                Ok(Some(hashes))
            }
            Err(CommitError::Job(WriteError::Denied { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// When there is something to be done next.
    pub(super) fn next(&self) -> Option<Instant> {
        let running = self.running.as_ref()?;
        let replicas = running.replicas.values().flat_map(|replica| {
            let again = replica.plan.again().filter(|_| replica.plan.is_idle());
            [replica.replicator.next(), replica.plan.gathered(), again]
        });
        let patience = running.streams.values().filter_map(|stream| match &stream.what {
            Exchanging::JavaScript(_, until) => Some(*until),
            Exchanging::Ours(_) => None,
        });
        replicas.flatten().chain(patience).chain(running.fetches.values().map(|asked| asked.until)).min()
    }

    /// Does what is to be done by now.
    pub(super) fn tick(&mut self, now: Instant, out: &mut Outbox) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let late: Vec<u64> =
            running.streams.iter().filter(|(_, stream)| stream.is_late(now)).map(|(id, _)| *id).collect();
        for stream in late {
            self.broke_off(stream, now);
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        let late: Vec<u64> =
            running.fetches.iter().filter(|(_, asked)| asked.until <= now).map(|(id, _)| *id).collect();
        for id in late {
            running.not_found(id, now);
        }
        let mut actions = Vec::new();
        for (database, replica) in &mut running.replicas {
            actions.push((*database, replica.replicator.due(now)));
        }
        for (database, actions) in actions {
            self.act(database, actions, now, out)?;
        }
        self.go_on(now, out)
    }

    /// After anything has happened: heads are looked at, and what is wanted is fetched.
    pub(super) fn go_on(&mut self, now: Instant, out: &mut Outbox) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let databases: Vec<usize> = running.replicas.keys().copied().collect();
        for database in databases {
            self.fetch(database, now, out)?;
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        if !running.commits.has_changed()? {
            return Ok(());
        }
        running.commits.mark_unchanged();
        let Some(snapshot) = self.durable()? else { return Ok(()) };
        let Some(running) = &mut self.running else { return Ok(()) };
        let mut all = Vec::new();
        for (database, replica) in &mut running.replicas {
            let log = snapshot.core.log(&snapshot.state, replica.info.id).map_err(crate::ReadError::from)?;
            // what was judged again may wait for something else now
            replica.fetch |= log.held > 0;
            let actions = look(&mut replica.replicator, &snapshot, &replica.info, &log, now)?;
            all.push((*database, actions.unwrap_or_default()));
        }
        for (database, actions) in all {
            self.act(database, actions, now, out)?;
            self.fetch(database, now, out)?;
        }
        Ok(())
    }

    pub(super) fn connected(&mut self, peer: PeerId, out: &mut Outbox) {
        let Some(running) = &mut self.running else { return };
        running.connected.insert(peer);
        out.extend(running.replicas.keys().map(|database| (peer, Packet::Subscribed(*database))));
    }

    pub(super) fn disconnected(&mut self, peer: &PeerId, now: Instant) {
        let Some(running) = &mut self.running else { return };
        running.connected.remove(peer);
        for replica in running.replicas.values_mut() {
            if replica.replicator.left(peer) {
                replica.plan.hope(now);
            }
        }
        let fetches: Vec<u64> = running.fetches.keys().copied().collect();
        for id in fetches {
            running.has_not(id, peer, now);
        }
        let broken: Vec<u64> =
            running.streams.iter().filter(|(_, stream)| stream.peer == *peer).map(|(id, _)| *id).collect();
        for stream in broken {
            self.broke_off(stream, now);
        }
    }

    pub(super) fn received(&mut self, from: PeerId, packet: Packet, now: Instant, out: &mut Outbox) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        match packet {
            Packet::Subscribed(database) => {
                if let Some(replica) = running.replicas.get_mut(&database) {
                    replica.replicator.subscribed(from, now);
                    replica.plan.hope(now);
                    replica.fetch = true;
                }
            }
            Packet::Topic { database, data } => self.heard(from, database, data, now, out)?,
            Packet::Open { stream, database } => self.asked(from, stream, database, out)?,
            Packet::Say { stream, message } => self.told(from, stream, message, now, out)?,
            Packet::Reset { stream } => self.broke_off(stream, now),
            Packet::Heads { stream, database, heads } => {
                let Some(replica) = running.replicas.get_mut(&database) else {
                    out.push((from, Packet::Reset { stream }));
                    return Ok(());
                };
                let (fit, rest) = fitting(head_blocks(&running.node.snapshot()?, &replica.info)?);
                out.push((from, Packet::Answer { stream, heads: fit.iter().map(|head| head.to_vec()).collect() }));
                replica.replicator.told(&from, Some(heads.iter().map(|head| Hash::of(head)).collect()), now);
                self.publish_rest(database, rest, &heads, out);
                self.take_heads(from, database, heads)?;
            }
            Packet::Answer { stream, heads } => {
                let Some(Stream { database, what: Exchanging::JavaScript(rest, _), .. }) =
                    running.streams.remove(&stream)
                else {
                    return Ok(());
                };
                let hashes = heads.iter().map(|head| Hash::of(head)).collect();
                self.publish_rest(database, rest, &heads, out);
                self.take_heads(from, database, heads)?;
                if let Some(replica) = self.replica(database) {
                    replica.replicator.exchanged(&from, Exchanged::Heads(hashes), now);
                }
            }
            Packet::Ask { fetch, hash } => {
                let block = running.node.snapshot()?.block(&hash)?.map(|block| block.to_vec());
                out.push((from, Packet::Block { fetch, hash, block }));
            }
            Packet::Block { fetch, block: Some(block), .. } => running.found(fetch, &Bytes::from(block), now)?,
            Packet::Block { fetch, block: None, .. } => running.has_not(fetch, &from, now),
        }
        Ok(())
    }

    /// Takes something that came from nobody in particular.
    pub(super) fn receive(
        &mut self,
        from: &str,
        database: usize,
        identities: Vec<Vec<u8>>,
        entries: Vec<Vec<u8>>,
    ) -> Result<Option<Receipt>> {
        let Some(running) = &mut self.running else { return Ok(None) };
        let Some(replica) = running.replicas.get_mut(&database) else { return Ok(None) };
        let receipt = block_on(running.node.receive(replica.info.id, from, identities, entries))?;
        block_on(running.node.settle());
        replica.fetch |= !receipt.held.is_empty();
        self.synced()?;
        Ok(Some(receipt))
    }

    fn replica(&mut self, database: usize) -> Option<&mut Replica> {
        self.running.as_mut()?.replicas.get_mut(&database)
    }

    /// Takes what a peer sent in an exchange; what is here is not looked at again.
    fn take(
        &mut self,
        from: PeerId,
        database: usize,
        identities: Vec<Vec<u8>>,
        mut entries: Vec<Vec<u8>>,
    ) -> Result<()> {
        let Some(running) = &self.running else { return Ok(()) };
        let Some(replica) = running.replicas.get(&database) else { return Ok(()) };
        let snapshot = running.node.snapshot()?;
        let mut refused = false;
        entries.retain(|entry| {
            let hash = Hash::of(entry);
            let is_new = is_new(&snapshot, &replica.info, &hash).unwrap_or(true);
            refused |= !is_new && is_refused(&snapshot, &replica.info, &hash).unwrap_or(false);
            is_new
        });
        if refused {
            return Err(format!("{from} is honest, and sends what it must have refused itself").into());
        }
        if entries.is_empty() && identities.is_empty() {
            return Ok(());
        }
        let receipt = self.receive(&from.to_string(), database, identities, entries)?;
        self.is_honest(from, database, receipt)
    }

    fn is_honest(&mut self, from: PeerId, database: usize, receipt: Option<Receipt>) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let (Some(receipt), Some(replica)) = (receipt, running.replicas.get(&database)) else { return Ok(()) };
        match forged(&running.node.snapshot()?, &replica.info, &receipt) {
            0 => Ok(()),
            count => {
                Err(format!("{from} is honest, and is taken for one that forged {count} entries: {receipt:?}").into())
            }
        }
    }

    fn take_heads(&mut self, from: PeerId, database: usize, mut heads: Vec<Vec<u8>>) -> Result<()> {
        let Some(running) = &self.running else { return Ok(()) };
        let Some(replica) = running.replicas.get(&database) else { return Ok(()) };
        let snapshot = running.node.snapshot()?;
        heads.retain(|head| is_new(&snapshot, &replica.info, &Hash::of(head)).unwrap_or(true));
        if heads.is_empty() { Ok(()) } else { self.take(from, database, Vec::new(), heads) }
    }

    fn publish_rest(&mut self, database: usize, rest: Vec<Bytes>, theirs: &[Vec<u8>], out: &mut Outbox) {
        for head in rest.into_iter().take(PUBLISHED) {
            if !theirs.iter().any(|item| item[..] == head[..]) {
                self.publish(database, head.to_vec(), None, out);
            }
        }
    }

    fn publish(&mut self, database: usize, data: Vec<u8>, but: Option<PeerId>, out: &mut Outbox) {
        let Some(running) = &mut self.running else { return };
        running.messages.insert(Hash::of(&data));
        let others = running.connected.iter().filter(|peer| Some(**peer) != but);
        out.extend(others.map(|peer| (*peer, Packet::Topic { database, data: data.clone() })));
    }

    /// A message of a topic.
    fn heard(&mut self, from: PeerId, database: usize, data: Vec<u8>, now: Instant, out: &mut Outbox) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(replica) = running.replicas.get_mut(&database) else { return Ok(()) };
        let hash = Hash::of(&data);
        if !running.messages.insert(hash) {
            return Ok(());
        }
        let (limits, encryption) = (&running.node.core().limits, running.node.encryption(&replica.info.address));
        let (verdict, entry) = match judge_known(&running.node.snapshot()?, &replica.info, &hash)? {
            Some(verdict) => (verdict, None),
            None => judge(&data, &replica.info, limits, &encryption),
        };
        if let Some(entry) = entry {
            replica.replicator.heard(entry.hash());
            let (id, name) = (replica.info.id, from.to_string());
            let taken: Result<Receipt, ReceiveError> =
                block_on(running.node.write(Durability::Local, move |writer| writer.receive(id, vec![entry], &name)))
                    .map_err(ReceiveError::from);
            let receipt = taken?;
            block_on(running.node.settle());
            if receipt.held.iter().any(|(_, hold)| hold.lacks()) {
                replica.replicator.lacks(&from, now);
            }
            replica.fetch |= !receipt.held.is_empty();
            self.synced()?;
            self.is_honest(from, database, Some(receipt))?;
        }
        if verdict == Verdict::Good {
            self.publish(database, data, Some(from), out);
        }
        Ok(())
    }

    /// What others may be told.
    fn durable(&mut self) -> Result<Option<Snapshot>> {
        let Some(running) = &self.running else { return Ok(None) };
        let snapshot = block_on(running.node.durable_snapshot())?;
        self.synced()?;
        Ok(Some(snapshot))
    }

    fn act(&mut self, database: usize, actions: Vec<Action>, now: Instant, out: &mut Outbox) -> Result<()> {
        for action in actions {
            match action {
                Action::Publish(hash) => {
                    let Some(running) = &self.running else { return Ok(()) };
                    if let Some(block) = running.node.snapshot()?.block(&hash)? {
                        self.publish(database, block.to_vec(), None, out);
                    }
                }
                Action::Exchange(peer) => self.begin(database, peer, now, out)?,
            }
        }
        Ok(())
    }

    fn begin(&mut self, database: usize, peer: PeerId, now: Instant, out: &mut Outbox) -> Result<()> {
        self.last += 1;
        let (id, ours) = (self.last, self.ours.contains(&peer));
        let Some(snapshot) = self.durable()? else { return Ok(()) };
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(replica) = running.replicas.get_mut(&database) else { return Ok(()) };
        let what = if ours {
            replica.with.insert(peer);
            let (exchange, message) = Exchange::begin(snapshot.heads(replica.info.id)?);
            out.push((peer, Packet::Open { stream: id, database }));
            out.push((peer, Packet::Say { stream: id, message }));
            Exchanging::Ours(Box::new(exchange))
        } else {
            let (fit, rest) = fitting(head_blocks(&snapshot, &replica.info)?);
            let heads = fit.iter().map(|head| head.to_vec()).collect();
            out.push((peer, Packet::Heads { stream: id, database, heads }));
            Exchanging::JavaScript(rest, now + PATIENCE)
        };
        running.streams.insert(id, Stream { database, peer, begun: true, what });
        Ok(())
    }

    /// A node of our kind begins an exchange.
    fn asked(&mut self, from: PeerId, stream: u64, database: usize, out: &mut Outbox) -> Result<()> {
        let here = self.here;
        let Some(durable) = self.durable()? else { return Ok(()) };
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(replica) = running.replicas.get_mut(&database) else {
            out.push((from, Packet::Reset { stream }));
            return Ok(());
        };
        let under_way = replica.answering.get(&from).copied().unwrap_or(0);
        if under_way >= ANSWERS {
            out.push((from, Packet::Reset { stream }));
            return Ok(());
        }
        // each side begins one when they meet; that of the smaller id counts
        if replica.with.contains(&from) && here < from {
            out.push((from, Packet::Say { stream, message: Message::Busy }));
            return Ok(());
        }
        replica.replicator.answers(&from);
        replica.answering.insert(from, under_way + 1);
        let (exchange, message) = Exchange::begin(durable.heads(replica.info.id)?);
        out.push((from, Packet::Say { stream, message }));
        let what = Exchanging::Ours(Box::new(exchange));
        running.streams.insert(stream, Stream { database, peer: from, begun: false, what });
        Ok(())
    }

    /// Something is said in an exchange of our kind.
    fn told(&mut self, from: PeerId, stream: u64, message: Message, now: Instant, out: &mut Outbox) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(Stream { database, what: Exchanging::Ours(exchange), .. }) = running.streams.get_mut(&stream) else {
            out.push((from, Packet::Reset { stream }));
            return Ok(());
        };
        let Some(replica) = running.replicas.get(database) else { return Ok(()) };
        if message == Message::Busy {
            self.ended(stream, Exchanged::Busy, now);
            return Ok(());
        }
        let (database, info, snapshot) = (*database, replica.info.clone(), running.node.snapshot()?);
        let lacking = |heads: &[Hash]| lacking(&snapshot, &info, heads);
        let Ok(step) = exchange.heard(message, lacking, || Clocks::of(&snapshot, &info))? else {
            return Err(format!("{from} is honest, and did not keep to the protocol").into());
        };
        let mut say = |message| out.push((from, Packet::Say { stream, message }));
        match step {
            Step::Say(message) => say(message),
            Step::Supply { lacks, theirs, clocks } => {
                let never = AtomicBool::new(false);
                let mut supply = Supply::of(&snapshot, &info, &lacks, &theirs, &clocks, &never)?;
                while let Some(message) = supply.next(&snapshot)? {
                    say(message);
                }
                say(Message::End);
            }
            Step::Take { identities, entries } => {
                exchange.taken();
                self.take(from, database, identities, entries)?;
            }
            Step::Wait => {}
        }
        let Some(running) = &mut self.running else { return Ok(()) };
        let Some(Stream { what: Exchanging::Ours(exchange), .. }) = running.streams.get_mut(&stream) else {
            return Ok(());
        };
        if let Some(theirs) = exchange.is_complete() {
            let snapshot = running.node.snapshot()?;
            let joined = has_joined(&snapshot, &info, theirs)?;
            let message = exchange.settled(snapshot.heads(info.id)?, joined);
            out.push((from, Packet::Say { stream, message }));
        }
        if let Some(outcome) = exchange.outcome() {
            let heads = outcome.heads.clone();
            self.ended(stream, Exchanged::Heads(heads), now);
        }
        Ok(())
    }

    fn broke_off(&mut self, stream: u64, now: Instant) {
        self.ended(stream, Exchanged::Failed, now);
    }

    fn ended(&mut self, id: u64, how: Exchanged, now: Instant) {
        let Some(running) = &mut self.running else { return };
        let Some(stream) = running.streams.remove(&id) else { return };
        let Some(replica) = running.replicas.get_mut(&stream.database) else { return };
        if stream.begun {
            replica.with.remove(&stream.peer);
            replica.replicator.exchanged(&stream.peer, how, now);
        } else {
            if let Some(count) = replica.answering.get_mut(&stream.peer) {
                *count -= 1;
            }
            let heads = if let Exchanged::Heads(heads) = how { Some(heads) } else { None };
            replica.replicator.told(&stream.peer, heads, now);
        }
    }

    /// A round of the fetcher, as far as it goes without waiting.
    fn fetch(&mut self, database: usize, now: Instant, out: &mut Outbox) -> Result<()> {
        let Some(replica) = self.replica(database) else { return Ok(()) };
        let mut is_due = std::mem::take(&mut replica.fetch)
            || (replica.plan.is_idle() && replica.plan.again().is_some_and(|again| again <= now));
        loop {
            let ours = self.ours.clone();
            let Some(running) = &mut self.running else { return Ok(()) };
            let Some(replica) = running.replicas.get_mut(&database) else { return Ok(()) };
            if is_due {
                let snapshot = running.node.snapshot()?;
                let is_nothing_held =
                    snapshot.core.log(&snapshot.state, replica.info.id).map_err(crate::ReadError::from)?.held == 0;
                let mut wanted =
                    if is_nothing_held { Vec::new() } else { snapshot.wanted(Some(replica.info.id), MOST)? };
                // where they begin, the time of day decides
                wanted.sort_by_key(Wanted::hash);
                let comes = replica.replicator.peers().any(|(peer, _)| ours.contains(peer));
                replica.plan.wanted(wanted, comes, now);
            }
            while let Some(fetch) = running.replicas.get_mut(&database).and_then(|replica| replica.plan.next(now)) {
                self.last += 1;
                let (id, hash, peers) = (self.last, fetch.wanted.hash(), running.connected.clone());
                let nobody = peers.is_empty();
                out.extend(peers.iter().map(|peer| (*peer, Packet::Ask { fetch: id, hash })));
                running.fetches.insert(id, Asked { database, fetch, peers, until: now + fetch.patience });
                if let Some(block) = running.node.snapshot()?.block(&hash)? {
                    running.found(id, &block, now)?;
                } else if nobody {
                    running.not_found(id, now);
                }
            }
            let Some(replica) = running.replicas.get_mut(&database) else { return Ok(()) };
            let Some(mut batch) = replica.plan.batch(now) else { return Ok(()) };
            let hashes = batch.take_hashes();
            self.receive("bitswap", database, batch.identities, batch.entries)?;
            if let Some(replica) = self.replica(database) {
                replica.plan.stored(&hashes);
                replica.fetch = false;
            }
            is_due = true;
        }
    }
}

impl Running {
    fn found(&mut self, id: u64, block: &Bytes, now: Instant) -> Result<()> {
        let Some(asked) = self.fetches.remove(&id) else { return Ok(()) };
        let Some(replica) = self.replicas.get_mut(&asked.database) else { return Ok(()) };
        let builds_on = match asked.fetch.wanted {
            Wanted::Entry(..) => {
                let encryption = self.node.encryption(&replica.info.address);
                builds_on(&self.node.snapshot()?, &replica.info, &encryption, block)?
            }
            Wanted::Identity(_) => Vec::new(),
        };
        replica.plan.found(&asked.fetch, block, builds_on, now);
        Ok(())
    }

    fn has_not(&mut self, id: u64, peer: &PeerId, now: Instant) {
        let Some(asked) = self.fetches.get_mut(&id) else { return };
        if asked.peers.remove(peer) && asked.peers.is_empty() {
            self.not_found(id, now);
        }
    }

    fn not_found(&mut self, id: u64, now: Instant) {
        let Some(asked) = self.fetches.remove(&id) else { return };
        if let Some(replica) = self.replicas.get_mut(&asked.database) {
            replica.plan.not_found(&asked.fetch, now);
        }
    }
}

impl Stream {
    fn is_late(&self, now: Instant) -> bool {
        matches!(&self.what, Exchanging::JavaScript(_, until) if *until <= now)
    }
}

fn head_blocks(snapshot: &Snapshot, info: &DatabaseInfo) -> Result<Vec<Bytes>> {
    let mut blocks = Vec::new();
    for head in snapshot.heads(info.id)? {
        blocks.extend(snapshot.block(&head)?);
    }
    Ok(blocks)
}

fn last_segment(folder: &Path) -> Result<Option<PathBuf>> {
    let mut last = None;
    for file in fs::read_dir(folder.join("segments"))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "car") && last.as_ref() < Some(&path) {
            last = Some(path);
        }
    }
    Ok(last)
}
