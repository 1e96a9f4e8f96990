use super::BlockList;
use crate::{
    DatabaseId, DatabaseInfo, Entry, EntryLinks, Hash, ReadDocuments as _, ReadError, Snapshot,
    entry::EntryParts,
    journal_op::JournalOp,
    state::{HeldRow, StateError, dropped, held, links_at},
};
use debros_ipfs::{Bytes, CarWriter, Cid, Place, Position};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map},
    sync::Arc,
};

/// A round is closed once it has so many entries.
const MAX_ENTRIES: u64 = 10_000;
/// Or so many databases.
const MAX_DATABASES: usize = 250;
/// Or so many bytes; the last group may go beyond.
const MAX_BYTES: usize = 16 << 20;

/// What is sent in one request: the blocks of some groups, by database.
pub(crate) struct Round {
    /// The number of its first group.
    pub(crate) first: u64,
    /// The place behind its groups.
    pub(crate) until: Option<Place>,
    /// Whether there is nothing behind it.
    pub(crate) last: bool,
    /// Entries in its groups.
    pub(crate) entries: u64,
    /// Whether databases were dropped in them.
    pub(crate) drops: bool,
    pub(crate) parcels: Vec<Parcel>,
    /// Most bytes that one of its blocks has.
    pub(crate) largest_block: usize,
    blocks: CarWriter,
}

/// The blocks of one database in a round.
pub(crate) struct Parcel {
    pub(crate) info: Arc<DatabaseInfo>,
    pub(crate) root: Hash,
    pub(crate) depth: u8,
    pub(crate) blocks: u64,
    pub(crate) entries: u64,
    lists: Vec<(Hash, Vec<u8>)>,
}

/// A parcel that is being filled.
struct Open {
    info: Arc<DatabaseInfo>,
    /// What makes the entries readable by themselves: manifest, access list, identities.
    founding: Vec<Cid>,
    authors: HashSet<Hash>,
    /// Entries that are held back, and that others build on.
    refused: HashSet<Hash>,
    entries: Vec<Cid>,
}

impl Round {
    /// Reads groups from a place on, until the round is full; `only` some databases, if it says so.
    pub(crate) fn read(
        snapshot: &Snapshot,
        from: Option<Place>,
        until: Option<Place>,
        only: Option<&BTreeSet<DatabaseId>>,
        by: &str,
    ) -> Result<Round, ReadError> {
        let mut open: BTreeMap<DatabaseId, Open> = BTreeMap::new();
        let mut round = Round {
            first: from.map_or(1, Place::sequence),
            until: from,
            last: true,
            entries: 0,
            drops: false,
            parcels: Vec::new(),
            largest_block: 0,
            blocks: CarWriter::blocks_only(),
        };
        let mut bytes = 0;
        let mut of_text = (String::new(), Hash::of(b""));
        let mut drops = Drops { snapshot, known: HashMap::new() };
        for group in snapshot.state.groups(from) {
            if until.is_some_and(|until| round.until.is_some_and(|place| place >= until)) {
                break;
            }
            if round.entries >= MAX_ENTRIES || bytes >= MAX_BYTES || open.len() >= MAX_DATABASES {
                round.last = false;
                break;
            }
            let group = group?;
            let ops = group.ops().iter().map(|op| JournalOp::from_bytes(op));
            let ops = ops.collect::<Result<Vec<_>, _>>().map_err(StateError::from)?;
            let mut dropped_here: HashMap<DatabaseId, usize> = HashMap::new();
            for (at, op) in ops.iter().enumerate() {
                if let JournalOp::DatabaseDropped { database, .. } = op {
                    dropped_here.insert(*database, at);
                }
            }
            round.drops |= !dropped_here.is_empty();
            for (at, op) in ops.iter().enumerate() {
                let (database, block) = match op {
                    JournalOp::EntryAccepted { database, block, .. } => (*database, Ok(*block)),
                    JournalOp::EntryReleased { database, hash, .. } => (*database, Err(*hash)),
                    _ => continue,
                };
                round.entries += 1;
                if only.is_some_and(|only| !only.contains(&database)) {
                    continue;
                }
                // what was dropped since is not sent any more
                if dropped_here.get(&database).is_some_and(|dropped| at < *dropped)
                    || drops.come_after(database, group.end())?
                {
                    continue;
                }
                let broken = |what: String| StateError::Broken(format!("an entry of database {database} {what}"));
                let no_block = || broken("has no block".to_owned());
                let stored;
                let (hash, data) = match block {
                    Ok(block) => {
                        let (cid, data, _) = group.block(block).ok_or_else(no_block)?;
                        (Hash::from_cid(cid).ok_or_else(|| broken(format!("has the name {cid}")))?, data)
                    }
                    // it lies in an earlier group, with which it was not shipped
                    Err(hash) => {
                        stored = snapshot.block(&hash)?.ok_or_else(no_block)?;
                        (hash, &*stored)
                    }
                };
                let encryption = snapshot.core.encryption(&snapshot.info(database)?.address);
                // without the key nothing is known of who wrote it, and it is sent all the same
                let opened = encryption.open_block(data).ok();
                let mut author = None;
                let mut refused = Vec::new();
                if let Some(opened) = &opened {
                    let parts = EntryParts::parse(opened).map_err(|error| broken(format!("is unreadable: {error}")))?;
                    if of_text.0 != parts.identity {
                        let hash = parts.identity.parse();
                        of_text = (
                            parts.identity.to_owned(),
                            hash.map_err(|error| broken(format!("is unreadable: {error}")))?,
                        );
                    }
                    author = Some(of_text.1);
                    refused = refused_behind(snapshot, database, Entry::links_of(opened))?;
                }
                let parcel = match open.entry(database) {
                    std::collections::btree_map::Entry::Occupied(parcel) => parcel.into_mut(),
                    std::collections::btree_map::Entry::Vacant(place) => {
                        let info = snapshot.info(database)?;
                        let founding = round.found(snapshot, &info)?;
                        place.insert(Open {
                            info,
                            founding,
                            authors: HashSet::new(),
                            refused: HashSet::new(),
                            entries: Vec::new(),
                        })
                    }
                };
                if let Some(author) = author.filter(|author| parcel.authors.insert(*author)) {
                    let identity = round.add_stored(snapshot, author)?;
                    parcel.founding.push(identity);
                }
                // whoever gets the entry needs what it builds on, be it refused or not
                for hash in refused {
                    if parcel.refused.insert(hash) {
                        parcel.entries.push(round.add_stored(snapshot, hash)?);
                    }
                }
                round.largest_block = round.largest_block.max(data.len());
                round.blocks.block(&hash.raw_cid(), data);
                parcel.entries.push(hash.raw_cid());
                bytes += data.len();
            }
            round.until = Some(group.end());
        }
        if round.last && until.is_none() {
            // also where nothing was committed yet, or the last segment has just begun
            round.until = Some(snapshot.state.end());
        }
        round.parcels = open.into_values().map(|parcel| parcel.close(by)).collect();
        Ok(round)
    }

    /// Adds what a database is made of.
    fn found(&mut self, snapshot: &Snapshot, info: &DatabaseInfo) -> Result<Vec<Cid>, ReadError> {
        let mut founding = vec![self.add_stored(snapshot, info.address.manifest())?];
        if let Some(controller) = info.spec.access.controller() {
            let address = controller.address().map_err(|error| ReadError::State(Box::new(error)))?;
            founding.push(self.add_stored(snapshot, address.manifest())?);
        }
        founding.push(self.add_stored(snapshot, Hash::of(&info.spec.access.block()))?);
        Ok(founding)
    }

    fn add_stored(&mut self, snapshot: &Snapshot, hash: Hash) -> Result<Cid, ReadError> {
        let block = snapshot.block(&hash)?;
        let block = block.ok_or_else(|| StateError::Broken(format!("the block {hash} is not here")))?;
        self.largest_block = self.largest_block.max(block.len());
        self.blocks.block(&hash.raw_cid(), &block);
        Ok(hash.raw_cid())
    }

    /// The file to send, in pieces, and how many blocks are in it.
    pub(crate) fn take_car(&mut self) -> (Vec<Bytes>, u64) {
        let roots: Vec<Cid> = self.parcels.iter().map(|parcel| parcel.root.cid()).collect();
        let mut front = CarWriter::new(&roots);
        for (hash, bytes) in self.parcels.iter().flat_map(|parcel| &parcel.lists) {
            front.block(&hash.cid(), bytes);
        }
        let blocks = std::mem::replace(&mut self.blocks, CarWriter::blocks_only());
        let count = front.block_count() + blocks.block_count();
        (vec![front.finish(), blocks.finish()], count)
    }
}

/// Where the logs of databases that were dropped ended.
struct Drops<'s> {
    snapshot: &'s Snapshot,
    known: HashMap<DatabaseId, Option<Position>>,
}

impl Drops<'_> {
    /// Was this database dropped behind this place?
    fn come_after(&mut self, database: DatabaseId, place: Place) -> Result<bool, StateError> {
        let before = match self.known.entry(database) {
            hash_map::Entry::Occupied(known) => *known.get(),
            hash_map::Entry::Vacant(unknown) => {
                let dropped = dropped(&self.snapshot.state, database)?;
                *unknown.insert(dropped.map(|dropped| dropped.before))
            }
        };
        Ok(before.is_some_and(|before| place.is_before(before)))
    }
}

/// The entries that are held back and that these links lead past.
fn refused_behind(snapshot: &Snapshot, database: DatabaseId, links: EntryLinks) -> Result<Vec<Hash>, StateError> {
    let state = &snapshot.state;
    if snapshot.core.log(state, database)?.held == 0 {
        return Ok(Vec::new());
    }
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut list: Vec<Hash> = links.iter().copied().collect();
    while let Some(hash) = list.pop() {
        if !seen.insert(hash) {
            continue;
        }
        if let Some(row) = held(state, database, &hash)?.filter(HeldRow::is_stepped_over) {
            found.push(hash);
            list.extend(links_at(state, &snapshot.core, row.position)?.iter());
        }
    }
    Ok(found)
}

impl Open {
    fn close(self, by: &str) -> Parcel {
        let entries = (self.entries.len() - self.refused.len()) as u64;
        let mut links = self.founding;
        links.extend(self.entries);
        let (lists, depth) = BlockList::tree(by, self.info.address.manifest().cid(), &links);
        let root = lists.last().map_or_else(|| Hash::of(b""), |(root, _)| *root);
        Parcel { info: self.info, root, depth, blocks: links.len() as u64, entries, lists }
    }
}
