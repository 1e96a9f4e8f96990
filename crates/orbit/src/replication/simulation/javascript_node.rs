use super::packet::Packet;
use crate::{Address, Entry, Hash, Identity, JavaScriptEntry, JavaScriptLog, Payload};
use debros_ipfs::PeerId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// So many further ancestors an entry names.
const REFERENCES: usize = 16;
/// So long a block is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A peer that follows JavaScript's rules, in what it sends and in what it takes.
pub(super) struct JavaScriptNode {
    pub(super) writer: Identity,
    pub(super) logs: BTreeMap<usize, JavaScriptLog>,
    addresses: BTreeMap<usize, Address>,
    blocks: BTreeMap<Hash, Vec<u8>>,
    connected: BTreeSet<PeerId>,
    joins: Vec<Join>,
    /// The exchanges that it has begun.
    asked: BTreeMap<u64, usize>,
    last: u64,
}

/// A head whose ancestors are being fetched.
struct Join {
    database: usize,
    head: Vec<u8>,
    /// Of each block that is asked for, who may have it still.
    missing: BTreeMap<Hash, BTreeSet<PeerId>>,
    until: Instant,
}

impl JavaScriptNode {
    pub(super) fn new(
        writer: Identity,
        logs: BTreeMap<usize, JavaScriptLog>,
        addresses: BTreeMap<usize, Address>,
        first: u64,
    ) -> JavaScriptNode {
        let blocks = [(writer.hash(), writer.bytes().to_vec())].into();
        let (connected, joins, asked) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
        JavaScriptNode { writer, logs, addresses, blocks, connected, joins, asked, last: first }
    }

    pub(super) fn connected(&mut self, peer: PeerId, out: &mut Vec<(PeerId, Packet)>) {
        self.connected.insert(peer);
        out.extend(self.logs.keys().map(|database| (peer, Packet::Subscribed(*database))));
    }

    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        self.connected.remove(peer);
        for join in &mut self.joins {
            for peers in join.missing.values_mut() {
                peers.remove(peer);
            }
        }
        self.joins.retain(|join| join.missing.values().all(|peers| !peers.is_empty()));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.joins.iter().map(|join| join.until).min()
    }

    pub(super) fn tick(&mut self, now: Instant) {
        self.joins.retain(|join| join.until > now);
    }

    pub(super) fn has(&self, block: &Hash) -> bool {
        self.blocks.contains_key(block)
    }

    /// Writes an entry; its hash.
    pub(super) fn write(&mut self, database: usize, payload: Payload, out: &mut Vec<(PeerId, Packet)>) -> Option<Hash> {
        let (log, address) = (self.logs.get_mut(&database)?, *self.addresses.get(&database)?);
        let next = log.heads();
        let refs = log.traverse().into_iter().filter(|hash| !next.contains(hash)).take(REFERENCES).collect::<Vec<_>>();
        let time = next.iter().filter_map(|head| time_of(log.get(head)?)).max().unwrap_or(0) + 1;
        let entry = Entry::create(&self.writer, address, payload.into_value(), &next, &refs, time).ok()?;
        self.blocks.insert(entry.hash(), entry.bytes().to_vec());
        let blocks = &self.blocks;
        log.join(entry.bytes(), |hash| blocks.get(hash).cloned()).ok()?;
        let publish = |peer: &PeerId| (*peer, Packet::Topic { database, data: entry.bytes().to_vec() });
        out.extend(self.connected.iter().map(publish));
        Some(entry.hash())
    }

    pub(super) fn received(&mut self, from: PeerId, packet: Packet, now: Instant, out: &mut Vec<(PeerId, Packet)>) {
        match packet {
            // it dials whoever listens
            Packet::Subscribed(database) => {
                if self.logs.contains_key(&database) {
                    self.last += 1;
                    out.push((from, Packet::Heads { stream: self.last, database, heads: self.heads(database) }));
                    // the answer says nothing of the database
                    self.asked.insert(self.last, database);
                }
            }
            Packet::Topic { database, data } => self.join(database, data, now, out),
            Packet::Heads { stream, database, heads } => {
                out.push((from, Packet::Answer { stream, heads: self.heads(database) }));
                heads.into_iter().for_each(|head| self.join(database, head, now, out));
            }
            Packet::Answer { stream, heads } => {
                if let Some(database) = self.asked.remove(&stream) {
                    heads.into_iter().for_each(|head| self.join(database, head, now, out));
                }
            }
            Packet::Ask { fetch, hash } => {
                out.push((from, Packet::Block { fetch, hash, block: self.blocks.get(&hash).cloned() }));
            }
            Packet::Block { hash, block: Some(block), .. } => {
                self.blocks.insert(hash, block);
                self.go_on(now, out);
            }
            Packet::Block { hash, block: None, .. } => {
                for join in &mut self.joins {
                    if let Some(peers) = join.missing.get_mut(&hash) {
                        peers.remove(&from);
                    }
                }
                self.joins.retain(|join| join.missing.values().all(|peers| !peers.is_empty()));
            }
            Packet::Open { stream, .. } | Packet::Say { stream, .. } => out.push((from, Packet::Reset { stream })),
            Packet::Reset { stream } => drop(self.asked.remove(&stream)),
        }
    }

    fn heads(&self, database: usize) -> Vec<Vec<u8>> {
        let heads = self.logs.get(&database).map(JavaScriptLog::heads).unwrap_or_default();
        heads.iter().filter_map(|head| self.blocks.get(head).cloned()).collect()
    }

    fn join(&mut self, database: usize, head: Vec<u8>, now: Instant, out: &mut Vec<(PeerId, Packet)>) {
        let Some(log) = self.logs.get(&database) else { return };
        if log.get(&Hash::of(&head)).is_none() && !self.joins.iter().any(|join| join.head == head) {
            self.joins.push(Join { database, head, missing: BTreeMap::new(), until: now + PATIENCE });
            self.go_on(now, out);
        }
    }

    /// Joins what can be joined, and asks for what is missing.
    fn go_on(&mut self, now: Instant, out: &mut Vec<(PeerId, Packet)>) {
        let mut waiting = Vec::new();
        for mut join in std::mem::take(&mut self.joins) {
            let Some(log) = self.logs.get_mut(&join.database) else { continue };
            let missing = missing(log, &self.blocks, &join.head);
            if missing.is_empty() {
                // what it does not accept is dropped
                if log.join(&join.head, |hash| self.blocks.get(hash).cloned()).is_ok() {
                    self.blocks.insert(Hash::of(&join.head), join.head);
                }
                continue;
            }
            join.missing.retain(|hash, _| missing.contains(hash));
            for hash in missing {
                if !join.missing.contains_key(&hash) {
                    join.until = now + PATIENCE;
                    self.last += 1;
                    let fetch = self.last;
                    out.extend(self.connected.iter().map(|peer| (*peer, Packet::Ask { fetch, hash })));
                    join.missing.insert(hash, self.connected.clone());
                }
            }
            waiting.push(join);
        }
        waiting.retain(|join| join.missing.values().all(|peers| !peers.is_empty()));
        self.joins = waiting;
    }
}

/// The blocks that joining this head takes and that are not here, as far as is known yet.
fn missing(log: &JavaScriptLog, blocks: &BTreeMap<Hash, Vec<u8>>, head: &[u8]) -> BTreeSet<Hash> {
    let (mut missing, mut seen, mut list) = (BTreeSet::new(), BTreeSet::new(), vec![head]);
    while let Some(block) = list.pop() {
        let Ok(entry) = JavaScriptEntry::decode(block) else { continue };
        if let Some(Ok(identity)) = entry.field("identity").as_text().map(str::parse)
            && !blocks.contains_key(&identity)
        {
            missing.insert(identity);
        }
        for link in entry.next().iter().chain(entry.refs()) {
            if log.get(link).is_none() && seen.insert(*link) {
                match blocks.get(link) {
                    Some(block) => list.push(block),
                    None => drop(missing.insert(*link)),
                }
            }
        }
    }
    missing
}

fn time_of(entry: &JavaScriptEntry) -> Option<u64> {
    let time = entry.field("clock").as_map()?.field("time").as_number()?;
    Some(time as u64)
}
