use super::{
    Ancestors, InspectedAuthor, InspectedDatabase, Inspection, InspectionFault, JournalOpNewer, KnownIdentity,
    SeenEntry, inspected_daemon::Daemon, seen_entry::WaitingEntry,
};
use crate::{
    AccessSpec, Address, DatabaseId, DatabaseSpec, Encryption, EntryError, Hash, IdentityBlock, IdentityError,
    JoinError, LogError, journal_op::JournalOp, log::check_time,
};
use debros_ipfs::{CommittedGroup, FolderItem, FolderReader};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    num::NonZero,
    thread,
};

/// So many entries are looked at together, on all cores.
const BATCH: usize = 2_048;
/// And so many bytes of them.
const BATCH_BYTES: usize = 16 << 20;

/// Reads the groups of a folder into an [`Inspection`].
pub(super) struct Inspector<'i> {
    inspection: &'i mut Inspection,
    databases: BTreeMap<DatabaseId, Database>,
    addresses: HashSet<Address>,
    /// The identities by hash, and their hashes by number.
    identities: HashMap<Hash, KnownIdentity>,
    numbers: Vec<Hash>,
    daemons: BTreeMap<String, Daemon>,
    /// Blocks that are no entries: manifests, access lists, identities.
    others: HashSet<Hash>,
    /// Entries, where they are judged.
    ancestors: Ancestors,
    /// Entries that are held back.
    held: HashMap<(DatabaseId, Hash), WaitingEntry>,
    /// Databases that were dropped later, and of which blocks were taken out of the segments.
    thinned: HashSet<DatabaseId>,
    batch: Vec<WaitingEntry>,
    batch_bytes: usize,
    /// Counts the operations.
    at: u64,
    threads: usize,
}

/// A database, while the journal is read.
struct Database {
    address: Address,
    spec: DatabaseSpec,
    since: u64,
    entries: u64,
    bytes: u64,
    held: u64,
    sealed: u64,
    /// Entries that were held back and followed by others when they were released, until they are looked at.
    released: HashSet<Hash>,
    /// Entries that are held back and followed by others.
    followed: HashSet<Hash>,
    heads: HashMap<Hash, u64>,
    times: Option<(u64, u64)>,
    /// Entries by the number of the identity.
    authors: HashMap<u32, u64>,
}

impl Database {
    fn new(address: Address, spec: DatabaseSpec, since: u64) -> Database {
        Database {
            address,
            spec,
            since,
            entries: 0,
            bytes: 0,
            held: 0,
            sealed: 0,
            released: HashSet::new(),
            followed: HashSet::new(),
            heads: HashMap::new(),
            times: None,
            authors: HashMap::new(),
        }
    }
}

impl<'i> Inspector<'i> {
    pub(super) fn new(inspection: &'i mut Inspection) -> Inspector<'i> {
        Inspector {
            inspection,
            databases: BTreeMap::new(),
            addresses: HashSet::new(),
            identities: HashMap::new(),
            numbers: Vec::new(),
            daemons: BTreeMap::new(),
            others: HashSet::new(),
            ancestors: Ancestors::default(),
            held: HashMap::new(),
            thinned: HashSet::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            at: 0,
            threads: thread::available_parallelism().map_or(1, NonZero::get),
        }
    }

    pub(super) fn read(mut self, folder: &FolderReader) -> Result<(), JournalOpNewer> {
        for item in folder.items() {
            match item {
                FolderItem::Group(group) => self.group(&group)?,
                FolderItem::Damage(damage) => self.inspection.add_damage(damage),
                FolderItem::Unfinished(unfinished) => self.inspection.unfinished = Some(unfinished),
            }
        }
        self.finish_batch();
        self.finish();
        Ok(())
    }

    fn group(&mut self, group: &CommittedGroup) -> Result<(), JournalOpNewer> {
        self.inspection.groups += 1;
        self.inspection.blocks += u64::from(group.block_count() - group.gone_count());
        self.inspection.gone_blocks += u64::from(group.gone_count());
        let mut entries = HashSet::new();
        let mut opened = Vec::new();
        for op in group.ops() {
            self.at += 1;
            let op = JournalOp::from_bytes(op);
            if op.as_ref().is_ok_and(|op| self.is_of_the_dropped(group, op)) {
                continue;
            }
            match op {
                Ok(JournalOp::DatabaseOpened { id, manifest, spec }) => {
                    self.database_opened(id, manifest, spec);
                    opened.push(id);
                }
                Ok(JournalOp::IdentityAdded { block }) => self.identity_added(group, block),
                Ok(JournalOp::EntryAccepted { database, block, .. }) => {
                    entries.insert(block);
                    self.entry_accepted(group, database, block);
                }
                Ok(JournalOp::Shipped { daemon, until, added, replaced }) => {
                    let daemon = self.daemons.entry(daemon).or_default();
                    daemon.shipped(until.map(|(_, entries)| entries), &added, &replaced);
                }
                Ok(JournalOp::ShipmentsLost { daemon, databases, .. }) => {
                    self.daemons.entry(daemon).or_default().lost(&databases);
                }
                Ok(JournalOp::ShippedAgain { daemon, until, added }) => {
                    self.daemons.entry(daemon).or_default().shipped_again(until.is_none(), &added);
                }
                Ok(JournalOp::Unpinned { daemon, databases }) => {
                    self.daemons.entry(daemon).or_default().unpinned(&databases);
                }
                Ok(JournalOp::EntryHeld { database, block, .. }) => {
                    entries.insert(block);
                    self.entry_held(group, database, block);
                }
                Ok(JournalOp::EntryReleased { database, hash, .. }) => self.entry_released(group, database, hash),
                Ok(JournalOp::HoldChanged { database, hash, .. } | JournalOp::HoldKept { database, hash }) => {
                    if !self.held.contains_key(&(database, hash)) {
                        self.fault_of_operation(group, format!("it judges the entry {hash}, which is not held back"));
                    }
                }
                Ok(JournalOp::DatabaseDropped { database, .. }) => self.database_dropped(database),
                Ok(
                    JournalOp::RightsChanged { .. }
                    | JournalOp::EntriesRead { .. }
                    | JournalOp::RowsDropped { .. }
                    | JournalOp::DatabaseReopened { .. }
                    | JournalOp::SegmentsRewritten { .. },
                ) => {}
                Err(error) => {
                    let reason = JournalOpNewer::or_reason(error)?;
                    self.fault_of_operation(group, reason);
                }
            }
        }
        for index in 0..group.block_count() {
            let Some((cid, data, _)) = group.block(index) else { continue };
            self.inspection.block_bytes += data.len() as u64;
            if self.inspection.checked && !entries.contains(&index) {
                self.others.extend(Hash::from_cid(cid));
            }
        }
        if self.inspection.checked {
            // a group brings the blocks that its databases need
            for id in opened {
                self.check_database(id);
            }
        }
        Ok(())
    }

    /// Is this about the log of a database that was dropped later, and of which blocks were taken out of the segments? What is left
    /// of it lacks what it builds on.
    fn is_of_the_dropped(&mut self, group: &CommittedGroup, op: &JournalOp) -> bool {
        let (database, block) = match op {
            JournalOp::EntryAccepted { database, block, .. } | JournalOp::EntryHeld { database, block, .. } => {
                (*database, Some(*block))
            }
            JournalOp::EntryReleased { database, .. }
            | JournalOp::HoldChanged { database, .. }
            | JournalOp::HoldKept { database, .. } => (*database, None),
            _ => return false,
        };
        if block.is_some_and(|block| group.is_gone(block)) {
            self.thinned.insert(database);
        }
        self.thinned.contains(&database)
    }

    fn fault_of_operation(&mut self, group: &CommittedGroup, reason: String) {
        self.inspection.add_fault(InspectionFault::Operation { place: group.end(), reason });
    }

    fn fault_of_database(&mut self, database: &str, reason: impl Into<String>) {
        let fault = InspectionFault::Database { database: database.to_owned(), reason: reason.into() };
        self.inspection.add_fault(fault);
    }

    fn database_opened(&mut self, id: DatabaseId, manifest: Hash, spec: DatabaseSpec) {
        let address = Address::of(manifest);
        if self.databases.contains_key(&id) || !self.addresses.insert(address) {
            self.fault_of_database(&spec.name, format!("it was opened twice, the second time as database {id}"));
            return;
        }
        let database = Database::new(address, spec, self.at);
        self.databases.insert(id, database);
    }

    /// Whether the address of a database follows from what it was opened as, and its blocks are there.
    fn check_database(&mut self, id: DatabaseId) {
        let Some(Database { address, spec, .. }) = self.databases.get(&id) else { return };
        let (address, spec) = (*address, spec.clone());
        match spec.address() {
            Ok(derived) if derived == address => {}
            Ok(derived) => {
                let reason = format!("its address is {address}, but its name, type and access give {derived}");
                self.fault_of_database(&spec.name, reason);
            }
            Err(error) => self.fault_of_database(&spec.name, error.to_string()),
        }
        if !self.others.contains(&address.manifest()) {
            self.fault_of_database(&spec.name, format!("its manifest, the block {}, is missing", address.manifest()));
        }
        match spec.access.controller().map(|controller| controller.address()) {
            None => {
                let list = Hash::of(&spec.access.block());
                if !self.others.contains(&list) {
                    self.fault_of_database(&spec.name, format!("its access list, the block {list}, is missing"));
                }
            }
            Some(Ok(controller)) if self.addresses.contains(&controller) => {}
            Some(Ok(controller)) => {
                let reason = format!("the database that says who may write it, {controller}, was never opened");
                self.fault_of_database(&spec.name, reason);
            }
            Some(Err(error)) => self.fault_of_database(&spec.name, error.to_string()),
        }
    }

    fn identity_added(&mut self, group: &CommittedGroup, block: u32) {
        let Some((cid, bytes, position)) = group.block(block) else {
            self.fault_of_operation(group, format!("it names block {block} of the group, which has none"));
            return;
        };
        let hash = Hash::of(bytes);
        let decoded = IdentityBlock::decode(bytes).and_then(|identity| {
            if Hash::from_cid(cid) != Some(hash) || identity.hash() != hash {
                return Err(IdentityError::Malformed("its name is not that of its content".to_owned()));
            }
            if self.inspection.checked {
                identity.verify()?;
            }
            Ok(identity)
        });
        match decoded {
            Ok(_) if self.identities.contains_key(&hash) => {
                self.fault_of_operation(group, format!("it adds the identity {hash} a second time"));
            }
            Ok(identity) => {
                let number = self.numbers.len() as u32;
                let user = identity.id.to_string();
                let known = KnownIdentity { number, hash, block: identity, user, since: self.at };
                self.identities.insert(hash, known);
                self.numbers.push(hash);
                self.inspection.identities += 1;
            }
            // its entries are told of, too: they name an identity that is not known
            Err(reason) => self.inspection.add_fault(InspectionFault::Identity { identity: hash, position, reason }),
        }
    }

    /// Nothing of its log counts any more, and all of it may come again.
    fn database_dropped(&mut self, id: DatabaseId) {
        self.finish_batch();
        if let Some(database) = self.databases.get_mut(&id) {
            let (address, spec, since) = (database.address, database.spec.clone(), database.since);
            *database = Database::new(address, spec, since);
        }
        self.held.retain(|(database, _), _| *database != id);
        self.thinned.remove(&id);
        self.ancestors.forget(id);
    }

    fn entry_accepted(&mut self, group: &CommittedGroup, database: DatabaseId, block: u32) {
        let Some(entry) = self.entry_at(group, database, block) else { return };
        self.entry_joined(entry);
    }

    fn entry_joined(&mut self, entry: WaitingEntry) {
        if !Encryption::is_sealed(&entry.bytes) {
            return self.wait_for_batch(entry);
        }
        // without its key there is no more to know
        if let Some(database) = self.databases.get_mut(&entry.database) {
            database.entries += 1;
            database.sealed += 1;
            database.bytes += entry.bytes.len() as u64;
        }
        if self.inspection.checked {
            self.ancestors.insert(&entry.hash, entry.database, 0);
        }
    }

    fn entry_held(&mut self, group: &CommittedGroup, database: DatabaseId, block: u32) {
        let Some(entry) = self.entry_at(group, database, block) else { return };
        // what follows it may be in the batch
        self.finish_batch();
        if let Some(database) = self.databases.get_mut(&database) {
            database.held += 1;
        }
        self.held.insert((database, entry.hash), entry);
    }

    fn entry_released(&mut self, group: &CommittedGroup, database: DatabaseId, hash: Hash) {
        let Some(entry) = self.held.remove(&(database, hash)) else {
            self.fault_of_operation(group, format!("it releases the entry {hash}, which is not held back"));
            return;
        };
        if let Some(database) = self.databases.get_mut(&database) {
            database.held -= 1;
            database.released.insert(hash);
        }
        self.entry_joined(WaitingEntry { at: self.at, ..entry });
    }

    /// The entry of an operation, if there is one.
    fn entry_at(&mut self, group: &CommittedGroup, database: DatabaseId, block: u32) -> Option<WaitingEntry> {
        let Some((cid, bytes, position)) = group.block(block) else {
            self.fault_of_operation(group, format!("it names block {block} of the group, which has none"));
            return None;
        };
        let Some(hash) = Hash::from_cid(cid) else {
            self.fault_of_operation(group, format!("the block {cid} is no DAG-CBOR, so it is no entry"));
            return None;
        };
        let known = self.databases.get(&database).is_some_and(|database| database.since < self.at);
        if !known {
            let fault = InspectionFault::NoDatabase { database: database.0, entry: hash, position };
            self.inspection.add_fault(fault);
            return None;
        }
        Some(WaitingEntry { database, hash, bytes: bytes.to_vec(), position, at: self.at })
    }

    fn wait_for_batch(&mut self, entry: WaitingEntry) {
        self.batch_bytes += entry.bytes.len();
        self.batch.push(entry);
        if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
            self.finish_batch();
        }
    }

    /// Looks at the entries that wait, on all cores, and then adds them in their order.
    fn finish_batch(&mut self) {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let identities = &self.identities;
        let look = if self.inspection.checked { SeenEntry::judge } else { SeenEntry::read };
        let look = |part: &[WaitingEntry]| part.iter().map(|entry| look(entry, identities)).collect::<Vec<_>>();
        let part = batch.len().div_ceil(self.threads).max(64);
        let seen: Vec<Result<SeenEntry, EntryError>> = if batch.len() <= part {
            look(&batch)
        } else {
            thread::scope(|scope| {
                let parts: Vec<_> = batch.chunks(part).map(|part| (part, scope.spawn(move || look(part)))).collect();
                // a part whose thread ended early is looked at here
                parts.into_iter().flat_map(|(part, thread)| thread.join().unwrap_or_else(|_| look(part))).collect()
            })
        };
        for (waiting, seen) in batch.iter().zip(seen) {
            let Err(reason) = self.add_entry(waiting, seen) else { continue };
            let Some(database) = self.databases.get(&waiting.database) else { continue };
            let (database, entry, position) = (database.spec.name.clone(), waiting.hash, waiting.position);
            let reason = Box::new(reason);
            self.inspection.add_fault(InspectionFault::Entry { database, entry, position, reason });
        }
    }

    /// Adds an entry to its database, and gives what is wrong with it.
    fn add_entry(&mut self, waiting: &WaitingEntry, seen: Result<SeenEntry, EntryError>) -> Result<(), JoinError> {
        let Some(database) = self.databases.get_mut(&waiting.database) else { return Ok(()) };
        database.entries += 1;
        database.bytes += waiting.bytes.len() as u64;
        let seen = seen?;
        let (time, checked) = (seen.time, self.inspection.checked);
        // before the heads change, which know most of what is followed
        let judged = if checked {
            judge(database, &self.ancestors, &self.held, &self.identities, &self.numbers, waiting, &seen)
        } else {
            Ok(())
        };
        for next in &seen.next {
            if database.heads.remove(next).is_none() && self.held.contains_key(&(waiting.database, *next)) {
                database.followed.insert(*next);
            }
        }
        // one that was released may have been followed before
        if !database.released.remove(&waiting.hash) || !database.followed.remove(&waiting.hash) {
            database.heads.insert(waiting.hash, time);
        }
        let (first, last) = database.times.unwrap_or((time, time));
        database.times = Some((first.min(time), last.max(time)));
        if let Some(author) = seen.author {
            *database.authors.entry(author).or_default() += 1;
        }
        if checked && !self.ancestors.insert(&waiting.hash, waiting.database, time) {
            let (database, entry, position) = (database.spec.name.clone(), waiting.hash, waiting.position);
            self.inspection.add_fault(InspectionFault::Twice { database, entry, position });
        }
        match seen.fault {
            Some(fault) => Err(fault),
            None => judged,
        }
    }

    fn finish(self) {
        let Inspector { inspection, databases, identities, numbers, daemons, .. } = self;
        let author = |(number, entries): (u32, u64)| {
            let known = numbers.get(number as usize).and_then(|hash| identities.get(hash))?;
            let (user, device, identity) = (known.block.id, known.block.public_key, known.hash);
            Some(InspectedAuthor { user, device, identity, entries })
        };
        for (id, database) in databases {
            let mut heads: Vec<_> = database.heads.into_iter().collect();
            heads.sort_unstable_by_key(|(hash, time)| std::cmp::Reverse((*time, *hash)));
            let mut authors: Vec<_> = database.authors.into_iter().filter_map(author).collect();
            authors.sort_unstable_by_key(|author| (std::cmp::Reverse(author.entries), author.identity));
            inspection.databases.push(InspectedDatabase {
                id,
                address: database.address,
                spec: database.spec,
                entries: database.entries,
                bytes: database.bytes,
                held: database.held,
                sealed: database.sealed,
                heads,
                first_time: database.times.map(|(first, _)| first),
                last_time: database.times.map(|(_, last)| last),
                authors,
            });
        }
        inspection.daemons = daemons.into_iter().map(|(peer, daemon)| daemon.into_inspected(peer)).collect();
    }
}

/// What can be said of an entry with its log before it: the rules of `Writer::join`.
fn judge(
    database: &Database,
    ancestors: &Ancestors,
    held: &HashMap<(DatabaseId, Hash), WaitingEntry>,
    identities: &HashMap<Hash, KnownIdentity>,
    numbers: &[Hash],
    waiting: &WaitingEntry,
    seen: &SeenEntry,
) -> Result<(), JoinError> {
    if let Some(log) = seen.log.filter(|log| *log != database.address) {
        return Err(LogError::OtherLog { entry: log, log: database.address }.into());
    }
    let author = seen.author.and_then(|number| identities.get(numbers.get(number as usize)?));
    // a right that was granted, or that a rule of the application's own gives, was judged when the entry joined
    let denied = |author: &&KnownIdentity| match &database.spec.access {
        AccessSpec::Ipfs { write } => !write.iter().any(|id| *id == author.user || id == "*"),
        AccessSpec::Orbitdb { .. } | AccessSpec::Custom { .. } => false,
    };
    if let Some(author) = author.filter(denied) {
        return Err(JoinError::Denied { database: database.spec.name.clone(), user: author.user.clone() });
    }
    let time = |hash: &Hash| {
        let known = database.heads.get(hash).copied().or_else(|| ancestors.time(hash, waiting.database));
        // one that is held back is stepped over
        let known = known.or_else(|| held.contains_key(&(waiting.database, *hash)).then_some(0));
        known.ok_or(LogError::Missing(*hash))
    };
    let mut before = 0;
    for next in &seen.next {
        before = before.max(time(next)?);
    }
    for reference in &seen.refs {
        time(reference)?;
    }
    check_time(seen.time, before)?;
    Ok(())
}
