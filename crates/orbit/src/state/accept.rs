//! What an accepted entry changes.

use super::{
    Author, DocumentRow, Fields, Head, Job, LogRow, StateError,
    core::{Core, count_entry, load_record},
    document_row::Stamp,
    hold,
    sealed::{SealedEntry, remember_sealed},
    tables::{
        CLOCKS, DOCUMENTS, FAMILY_ROWS, INDEXES, LOGS, PROBLEMS, TOMBSTONES, UNREAD, clock_key, duplicate_key,
        entry_key, family_prefix, index_prefix, key_of, past, problem_key,
    },
};
use crate::{
    DatabaseId, DatabaseInfo, DatabaseKind, Hash, IndexRow, LastEvents, Op, Payload, PublicKey, Verdict,
    documents::is_no_key,
    effect::{Did, Effect},
    limits::MAX_KEY,
    schema::plain_key,
};
use debros_core::{ID, Map, Value};
use debros_ipfs::{Position, ReadState};
use std::cmp::Ordering;

/// What an entry means to its database, before it is known whether it wins: found out by reading only, so that a local
/// write can be refused before it is signed.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    key: Vec<u8>,
    log: LogRow,
    op: Option<Op>,
    /// What the key holds now, and its index rows.
    existing: Option<(DocumentRow, Vec<IndexRow>)>,
    /// Of an event: does its key commit to its author (`Greater`), and not to that of what the key holds, or the other way round?
    committed: Ordering,
    tombstone: Option<DocumentRow>,
    tombstone_key: Vec<u8>,
    /// The row that gives its place to this one, if that is later.
    yields: Option<(Vec<u8>, DocumentRow)>,
}

/// What an entry is to its database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It puts a row, with these index rows.
    Row(Vec<IndexRow>),
    /// It puts something that is no row.
    Problem(String),
    /// It may not put what it puts, and changes nothing.
    Refused(String),
    /// It changes nothing, and is not listed either.
    Unkept(String),
    /// It deletes. Whether there is something to delete, and by this user.
    Deletes { exists: bool, may: bool },
    /// It means nothing to a database of this kind.
    Nothing,
}

/// An entry that belongs into the log.
pub(crate) struct Accepted<'e> {
    pub(crate) hash: Hash,
    pub(crate) position: Position,
    pub(crate) time: u64,
    pub(crate) next: &'e [Hash],
    /// An entry of the log follows it already, so it is no head.
    pub(crate) followed: bool,
    /// Its payload is encrypted, and cannot be decrypted.
    pub(crate) unread: bool,
    /// It is being written here.
    pub(crate) local: bool,
}

impl Judged {
    pub(crate) fn of(
        state: &dyn ReadState,
        core: &Core,
        database: &DatabaseInfo,
        author: &Author,
        payload: Option<&Payload>,
    ) -> Result<Judged, StateError> {
        let id = database.id;
        let mut judged = Judged {
            outcome: Outcome::Nothing,
            key: Vec::new(),
            log: core.log(state, id)?,
            op: None,
            existing: None,
            committed: Ordering::Equal,
            tombstone: None,
            tombstone_key: Vec::new(),
            yields: None,
        };
        let Some(payload) = payload else { return Ok(judged) };
        if database.spec.kind == DatabaseKind::Events
            && payload.op == Op::Add
            && let Some(kept) = core.schema.last_events(database)
        {
            judged.judge_last_event(state, core, database, author, (payload, &kept))?;
            return Ok(judged);
        }
        let has_records = has_records(core, database);
        let key = match (database.spec.kind, payload.op) {
            (DatabaseKind::Events, Op::Add) if !has_records => {
                judged.op = Some(Op::Add);
                judged.outcome = Outcome::Row(Vec::new());
                return Ok(judged);
            }
            (DatabaseKind::Events, Op::Add) => payload.value.as_map().map_or(&Value::Null, |record| record.field(ID)),
            (DatabaseKind::Documents | DatabaseKind::KeyValue, Op::Put | Op::Del) => &payload.key,
            _ => return Ok(judged),
        };
        judged.key = if has_records { core.schema.key(database, key) } else { plain_key(key) };
        if judged.key.len() > MAX_KEY {
            judged.key.truncate(MAX_KEY);
            judged.outcome = Outcome::Refused(format!("its key is longer than {MAX_KEY} bytes"));
            return Ok(judged);
        }
        if has_records && is_no_key(key) {
            judged.outcome = Outcome::Refused("its key is missing, null, empty, 0 or false".to_owned());
            return Ok(judged);
        }
        judged.op = Some(payload.op);
        let owners_only = has_records && core.schema.owners_only(database);
        let record = judged.read(state, core, database, owners_only.then_some(author))?;
        judged.outcome = match payload.op {
            Op::Put | Op::Add if has_records => {
                judged.judge_record(state, core, database, author, (key, &payload.value), record)?
            }
            Op::Put | Op::Add => Outcome::Row(Vec::new()),
            Op::Del => {
                let may = match &judged.existing {
                    Some((row, _)) if owners_only => core.author(state, row.stamp.author)?.user == author.user,
                    _ => true,
                };
                Outcome::Deletes { exists: judged.existing.is_some(), may }
            }
        };
        if matches!(judged.outcome, Outcome::Refused(_)) {
            judged.op = None;
        }
        Ok(judged)
    }

    /// Judges an event where only the last one of each device counts: is there a place for it?
    fn judge_last_event(
        &mut self,
        state: &dyn ReadState,
        core: &Core,
        database: &DatabaseInfo,
        author: &Author,
        (payload, kept): (&Payload, &LastEvents),
    ) -> Result<(), StateError> {
        self.key = device_key(&author.user, &author.key);
        let bytes = payload.value.to_dag_cbor().map_or(usize::MAX, |bytes| bytes.len());
        if bytes > kept.value_bytes {
            self.outcome = Outcome::Unkept(format!("it is larger than {} bytes", kept.value_bytes));
            return Ok(());
        }
        self.read(state, core, database, None)?;
        if self.existing.is_none() {
            let of_user = key_of(database.id, author.user.as_bytes());
            let rows = state.scan(DOCUMENTS, &of_user, past(&of_user).as_deref(), false);
            let rows = rows.map(|row| {
                let (key, row) = row?;
                let broken = || StateError::Broken(format!("a row of database {} is unreadable", database.id));
                Ok((key, DocumentRow::from_bytes(&row).ok_or_else(broken)?))
            });
            let rows = rows.collect::<Result<Vec<_>, StateError>>()?;
            if rows.len() >= kept.devices {
                self.yields = rows.into_iter().min_by(|(a, x), (b, y)| (x.stamp.time, a).cmp(&(y.stamp.time, b)));
            } else if self.log.rows >= kept.rows {
                self.outcome = Outcome::Unkept(format!("{} devices have a row, and no more are kept", kept.rows));
                return Ok(());
            }
        }
        self.op = Some(Op::Put);
        self.outcome = Outcome::Row(Vec::new());
        Ok(())
    }

    /// Reads what the key holds. Gives the record, of a documents database.
    fn read(
        &mut self,
        state: &dyn ReadState,
        core: &Core,
        database: &DatabaseInfo,
        owner: Option<&Author>,
    ) -> Result<Option<Map>, StateError> {
        let broken = |what: &str| StateError::Broken(format!("a {what} of database {} is unreadable", database.id));
        let mut held = None;
        if let Some(row) = state.get(DOCUMENTS, &key_of(database.id, &self.key))? {
            let row = DocumentRow::from_bytes(&row).ok_or_else(|| broken("row"))?;
            let mut rows = Vec::new();
            if has_records(core, database) {
                held = Some(load_record(core, state, row.position)?);
            }
            if let Some(record) = held.as_ref().filter(|_| !row.problem) {
                let author = core.author(state, row.stamp.author)?;
                match core.schema.rows(database, &author.id, record, None) {
                    Verdict::Row(index_rows) => rows = index_rows,
                    Verdict::Problem(reason) | Verdict::Refused(reason) => {
                        return Err(StateError::Broken(format!(
                            "a row of database {} is none any more ({reason}), although the schema is the same",
                            database.id
                        )));
                    }
                }
            }
            self.existing = Some((row, rows));
        }
        self.tombstone_key = key_of(database.id, &self.key);
        if let Some(owner) = owner {
            self.tombstone_key.extend_from_slice(owner.user.as_bytes());
        }
        if self.log.tombstones > 0
            && let Some(row) = state.get(TOMBSTONES, &self.tombstone_key)?
        {
            self.tombstone = Some(DocumentRow::from_bytes(&row).ok_or_else(|| broken("deletion"))?);
        }
        Ok(held)
    }

    fn judge_record(
        &mut self,
        state: &dyn ReadState,
        core: &Core,
        database: &DatabaseInfo,
        author: &Author,
        (key, value): (&Value, &Value),
        held: Option<Map>,
    ) -> Result<Outcome, StateError> {
        let Value::Map(record) = value else {
            return Ok(Outcome::Problem(format!("the value is {} where a record should be", value.kind())));
        };
        if record.field(ID) != key && core.schema.keys_are_ids(database) {
            return Ok(Outcome::Problem(format!("the record's `{ID}` is not the key under which it was put")));
        }
        let first = match &self.existing {
            None => None,
            Some((row, _)) => Some(core.author(state, row.first.unwrap_or(row.stamp).author)?),
        };
        let previous = first.as_ref().zip(held.as_ref()).map(|(first, record)| (first.id.as_str(), record));
        if let (DatabaseKind::Events, Some((first, held))) = (database.spec.kind, previous) {
            let commits = |author, record| core.schema.commits(database, author, record);
            self.committed = commits(&author.id, record).cmp(&commits(first, held));
        }
        Ok(match core.schema.rows(database, &author.id, record, previous) {
            Verdict::Row(rows) => Outcome::Row(rows),
            Verdict::Problem(reason) => Outcome::Problem(reason),
            Verdict::Refused(reason) => Outcome::Refused(reason),
        })
    }
}

/// Adds an entry to the log of its database, and what it means to the rows: gives what that was. The same function serves
/// local writes, entries of others, and replay.
pub(crate) fn settle(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    author: &Author,
    entry: &Accepted<'_>,
    judged: Judged,
) -> Result<Effect, StateError> {
    core.touch(database.id);
    let (position, key) = (entry.position, entry_key(database.id, &entry.hash));
    let content = remember_sealed(job, core, database, &entry.hash, &SealedEntry { position, time: entry.time })?;
    if entry.unread {
        job.put(UNREAD, key, position.to_bytes().to_vec());
    }
    let (mut log, effect) = settle_meaning(job, core, database, author, entry, judged)?;
    log.entries += 1;
    let key = clock_key(database.id, author.number);
    let before = clock_at(job.get(CLOCKS, &key)?.as_deref())?;
    log.writers += u64::from(before.is_none());
    // a key that was copied may have written an older one
    if before.is_none_or(|before| before < entry.time) {
        job.put(CLOCKS, key, entry.time.to_be_bytes().to_vec());
    }
    log.heads.retain(|head| !entry.next.contains(&head.hash));
    if !entry.followed {
        log.heads.push(Head { hash: entry.hash, author: author.number, time: entry.time });
    }
    job.put(LOGS, key_of(database.id, &[]), log.to_bytes());
    count_entry(job)?;
    hold::joined(job, core, database, &entry.hash, entry.next)?;
    // what builds on it may name it as it is without encryption
    if let Some(content) = content {
        hold::joined(job, core, database, &content, &[])?;
    }
    Ok(effect)
}

/// The time in a row of clocks.
pub(crate) fn clock_at(row: Option<&[u8]>) -> Result<Option<u64>, StateError> {
    let Some(row) = row else { return Ok(None) };
    let time = row.try_into().map(u64::from_be_bytes);
    time.map(Some).map_err(|_| StateError::Broken("a row of `clocks` is no time".to_owned()))
}

/// What an entry of the log means to the rows. Gives the counts of the log, which are to be written.
fn settle_meaning(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    author: &Author,
    entry: &Accepted<'_>,
    judged: Judged,
) -> Result<(LogRow, Effect), StateError> {
    let stamp = Stamp { author: author.number, time: entry.time };
    let mut settling = Settling { job, core, database, author, entry, stamp, judged, did: Did::Nothing };
    settling.settle()?;
    Ok((settling.judged.log, Effect { did: settling.did, local: entry.local }))
}

/// Adds what an entry of the log means, now that its payload can be decrypted.
pub(crate) fn settle_read(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    author: &Author,
    entry: &Accepted<'_>,
    judged: Judged,
) -> Result<Effect, StateError> {
    job.delete(UNREAD, entry_key(database.id, &entry.hash));
    let (log, effect) = settle_meaning(job, core, database, author, entry, judged)?;
    job.put(LOGS, key_of(database.id, &[]), log.to_bytes());
    Ok(effect)
}

struct Settling<'s, 'e> {
    job: &'s mut dyn Job,
    core: &'s Core,
    database: &'s DatabaseInfo,
    author: &'s Author,
    entry: &'s Accepted<'e>,
    stamp: Stamp,
    judged: Judged,
    did: Did,
}

impl Settling<'_, '_> {
    fn id(&self) -> DatabaseId {
        self.database.id
    }

    fn settle(&mut self) -> Result<(), StateError> {
        if let Outcome::Refused(reason) = &self.judged.outcome {
            let row = problem_row(self.entry.position, self.author.number, reason);
            self.job.put(PROBLEMS, problem_key(self.database.id, true, &self.judged.key), row);
        }
        if let Some((key, row)) = self.judged.yields.take() {
            if self.beats(&row)? == Ordering::Less {
                return Ok(());
            }
            self.job.delete(DOCUMENTS, key);
            self.judged.log.rows -= 1;
        }
        match self.judged.op {
            None => Ok(()),
            Some(Op::Add) if has_records(self.core, self.database) => self.add(),
            Some(Op::Add) => {
                let key = event_key(self.entry.time, &self.author.key, &self.entry.hash);
                let row = self.row(false, None);
                self.did = Did::Put(None);
                self.judged.log.rows += 1;
                self.job.put(DOCUMENTS, key_of(self.database.id, &key), row.to_bytes());
                Ok(())
            }
            Some(Op::Put) => self.put(),
            Some(Op::Del) => self.del(),
        }
    }

    fn row(&self, problem: bool, first: Option<Stamp>) -> DocumentRow {
        DocumentRow { position: self.entry.position, stamp: self.stamp, problem, first }
    }

    /// Adds an event that has a key. It is the row, if it comes before what the key holds; whichever of both comes later is a
    /// duplicate.
    fn add(&mut self) -> Result<(), StateError> {
        if let Some((held, _)) = self.judged.existing {
            let is_first = self.judged.committed.then(self.beats(&held)?.reverse()) == Ordering::Greater;
            let (position, author, hash) = match is_first {
                true => (held.position, held.stamp.author, Hash::of(&self.job.block_at(held.position)?)),
                false => (self.entry.position, self.author.number, self.entry.hash),
            };
            let row = problem_row(position, author, "an event that comes before it has the same key");
            self.job.put(PROBLEMS, duplicate_key(self.id(), &self.judged.key, &hash), row);
            if !is_first {
                return Ok(());
            }
        }
        self.replace(self.stamp);
        Ok(())
    }

    fn put(&mut self) -> Result<(), StateError> {
        let first = self.first()?;
        if let Some(mut tombstone) = self.judged.tombstone
            && self.beats(&tombstone)? == Ordering::Less
        {
            // deleted by a later entry: what is left to know is who was first
            if tombstone.first != Some(first) {
                tombstone.first = Some(first);
                self.job.put(TOMBSTONES, self.judged.tombstone_key.clone(), tombstone.to_bytes());
            }
            return Ok(());
        }
        if let Some((mut row, _)) = self.judged.existing
            && self.beats(&row)? == Ordering::Less
        {
            let first = (first != row.stamp).then_some(first);
            if row.first != first {
                row.first = first;
                self.job.put(DOCUMENTS, key_of(self.id(), &self.judged.key), row.to_bytes());
            }
            return Ok(());
        }
        // it wins: what loses to a deletion that it beats also loses to it, so that need not be remembered any more
        if self.judged.tombstone.is_some() {
            self.job.delete(TOMBSTONES, self.judged.tombstone_key.clone());
            self.judged.log.tombstones -= 1;
        }
        self.replace(first);
        Ok(())
    }

    /// Lets the key hold this entry, in place of what it held; `first` is the first entry that put something there.
    fn replace(&mut self, first: Stamp) {
        let former = self.judged.existing.as_ref().map(|(row, _)| row.position);
        self.remove_existing();
        let key = std::mem::take(&mut self.judged.key);
        let problem = match std::mem::replace(&mut self.judged.outcome, Outcome::Nothing) {
            Outcome::Row(rows) => {
                self.judged.log.rows += 1;
                self.put_index_rows(&key, &rows);
                false
            }
            Outcome::Problem(reason) => {
                self.judged.log.problems += 1;
                let row = problem_row(self.entry.position, self.author.number, &reason);
                self.job.put(PROBLEMS, problem_key(self.id(), false, &key), row);
                true
            }
            _ => return,
        };
        self.did = Did::Put(former);
        let row = self.row(problem, (first != self.stamp).then_some(first));
        self.job.put(DOCUMENTS, key_of(self.id(), &key), row.to_bytes());
    }

    fn del(&mut self) -> Result<(), StateError> {
        if self.judged.outcome == (Outcome::Deletes { exists: true, may: false }) {
            return Ok(());
        }
        let mut first = None;
        if let Some(tombstone) = self.judged.tombstone {
            if self.beats(&tombstone)? == Ordering::Less {
                return Ok(());
            }
            first = tombstone.first;
        }
        if let Some((row, _)) = self.judged.existing {
            if self.beats(&row)? == Ordering::Less {
                return Ok(());
            }
            first = Some(row.first.unwrap_or(row.stamp));
        }
        if let Some((row, _)) = &self.judged.existing {
            self.did = Did::Deleted(row.position);
            self.remove_existing();
            self.job.delete(DOCUMENTS, key_of(self.id(), &self.judged.key));
        }
        if self.judged.tombstone.is_none() {
            self.judged.log.tombstones += 1;
        }
        let row = self.row(false, first);
        self.job.put(TOMBSTONES, std::mem::take(&mut self.judged.tombstone_key), row.to_bytes());
        Ok(())
    }

    /// Does the entry win against this one? By time, then by the writer's key, then by hash.
    fn beats(&self, row: &DocumentRow) -> Result<Ordering, StateError> {
        let order = self.compare(self.stamp, row.stamp)?;
        if order != Ordering::Equal {
            return Ok(order);
        }
        Ok(self.entry.hash.cmp(&Hash::of(&self.job.block_at(row.position)?)))
    }

    fn compare(&self, a: Stamp, b: Stamp) -> Result<Ordering, StateError> {
        if a.time != b.time || a.author == b.author {
            return Ok(a.time.cmp(&b.time));
        }
        let key = |stamp: Stamp| Ok::<_, StateError>(self.core.author(self.job.as_state(), stamp.author)?.key);
        Ok(key(a)?.cmp(&key(b)?))
    }

    /// The first entry that put something there, with this one.
    fn first(&self) -> Result<Stamp, StateError> {
        let before = match (&self.judged.existing, &self.judged.tombstone) {
            (Some((row, _)), _) => Some(row.first.unwrap_or(row.stamp)),
            (None, Some(tombstone)) => tombstone.first,
            (None, None) => None,
        };
        match before {
            Some(before) if self.compare(before, self.stamp)? != Ordering::Greater => Ok(before),
            _ => Ok(self.stamp),
        }
    }

    fn remove_existing(&mut self) {
        let Some((row, rows)) = self.judged.existing.take() else { return };
        if row.problem {
            self.judged.log.problems -= 1;
            self.job.delete(PROBLEMS, problem_key(self.id(), false, &self.judged.key));
            return;
        }
        self.judged.log.rows -= 1;
        for (table, key, _) in index_rows(self.core, self.database, &self.judged.key, &rows) {
            self.job.delete(table, key);
        }
    }

    fn put_index_rows(&mut self, key: &[u8], rows: &[IndexRow]) {
        for (table, key, values) in index_rows(self.core, self.database, key, rows) {
            let row = Fields::with_capacity(14).position(self.entry.position).number(values as u64);
            self.job.put(table, key, row.finish());
        }
    }
}

/// Takes a row of a database that is being dropped away, and its index rows.
pub(super) fn remove_row(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    key: &[u8],
    row: &DocumentRow,
) -> Result<(), StateError> {
    if has_records(core, database) && !row.problem {
        let record = load_record(core, job.as_state(), row.position)?;
        let author = core.author(job.as_state(), row.stamp.author)?;
        if let Verdict::Row(rows) = core.schema.rows(database, &author.id, &record, None) {
            for (table, key, _) in index_rows(core, database, key, &rows) {
                job.delete(table, key);
            }
        }
    }
    job.delete(DOCUMENTS, key_of(database.id, key));
    Ok(())
}

/// Are its values records, which the schema knows?
fn has_records(core: &Core, database: &DatabaseInfo) -> bool {
    match database.spec.kind {
        DatabaseKind::Documents => true,
        DatabaseKind::Events => core.schema.keyed_events(database),
        DatabaseKind::KeyValue => false,
    }
}

fn problem_row(position: Position, author: u32, reason: &str) -> Vec<u8> {
    let row = Fields::with_capacity(24 + reason.len()).position(position);
    row.number(author.into()).bytes(reason.as_bytes()).finish()
}

/// The keys of the index rows and family rows of a record, with the lengths of their values.
fn index_rows(
    core: &Core,
    database: &DatabaseInfo,
    key: &[u8],
    rows: &[IndexRow],
) -> Vec<(debros_ipfs::Table, Vec<u8>, usize)> {
    let mut all = Vec::with_capacity(2 * rows.len() + 1);
    if !has_records(core, database) {
        return all;
    }
    for row in rows {
        let mut bytes = index_prefix(database.id, row.index, row.values.len() + key.len());
        bytes.extend_from_slice(&row.values);
        bytes.extend_from_slice(key);
        all.push((INDEXES, bytes, row.values.len()));
    }
    if core.schema.has_family(database) {
        // by key alone the key is what is looked for, and stands before the database
        let mut family = |index, values: &[u8], rest: &[u8]| {
            let mut bytes = family_prefix(database.family, index, values.len() + 4 + rest.len());
            bytes.extend_from_slice(values);
            bytes.extend_from_slice(&database.id.0.to_be_bytes());
            bytes.extend_from_slice(rest);
            all.push((FAMILY_ROWS, bytes, values.len()));
        };
        family(None, key, &[]);
        for row in rows {
            family(Some(row.index), &row.values, key);
        }
    }
    all
}

/// The key of what a device of a user said last.
pub(crate) fn device_key(user: &PublicKey, device: &PublicKey) -> Vec<u8> {
    [&user.as_bytes()[..], device.as_bytes()].concat()
}

/// The key of an event: its place in the order of the log.
pub(crate) fn event_key(time: u64, key: &PublicKey, hash: &Hash) -> Vec<u8> {
    [&time.to_be_bytes()[..], key.as_bytes(), hash.digest()].concat()
}
