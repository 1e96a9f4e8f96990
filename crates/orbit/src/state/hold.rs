//! What holding entries back, and their release, changes.

use super::{
    Core, HeldRow, Job, LogRow, StateError,
    log_row::Unneeded,
    room,
    sealed::{open_entry, sealed_entry},
    tables::{ANY, HELD, LOGS, PROTECTED, READY, SEALED, WAITING, entry_key, key_of, past, waiting_key},
};
use crate::{
    DatabaseId, DatabaseInfo, Encryption, Entry, EntryLinks, Hash, Hold, heads,
    journal_op::{HeldOp, Lacks},
};
use debros_ipfs::{Position, ReadState};

/// What is known of an entry that others follow.
pub(crate) enum Known {
    /// It is in the log.
    Joined {
        /// Its time.
        time: u64,
    },
    /// It is held back for a reason that does not keep back what builds on it.
    SteppedOver {
        /// Its time, if that is one that it may have.
        time: Option<u64>,
    },
}

impl Known {
    /// The time that entries which follow it have to be later than.
    pub(crate) fn time(&self) -> u64 {
        match self {
            Known::Joined { time } => *time,
            Known::SteppedOver { time } => time.unwrap_or(0),
        }
    }
}

/// Stands for all entries of a database whose users' rights were revoked.
pub(crate) const REVOKED: Hash = Hash::from_digest([0; 32]);

/// What is known of an entry; `None` if it is not here, or waits itself.
pub(crate) fn known(
    core: &Core,
    state: &dyn ReadState,
    log: &LogRow,
    database: &DatabaseInfo,
    entry: &Hash,
) -> Result<Option<Known>, StateError> {
    // most entries follow the heads
    if let Some(head) = log.heads.iter().find(|head| head.hash == *entry) {
        return Ok(Some(Known::Joined { time: head.time }));
    }
    if log.held > 0
        && let Some(row) = held(state, database.id, entry)?
    {
        return Ok(row.is_stepped_over().then_some(Known::SteppedOver { time: row.time }));
    }
    if let Some(sealed) = sealed_entry(state, database.id, entry)? {
        return Ok(Some(Known::Joined { time: sealed.time }));
    }
    Ok(heads::joined(core, state, database, entry)?.map(|links| Known::Joined { time: links.clock.time }))
}

/// The row of an entry that is held back.
pub(crate) fn held(state: &dyn ReadState, database: DatabaseId, entry: &Hash) -> Result<Option<HeldRow>, StateError> {
    let Some(row) = state.get(HELD, &entry_key(database, entry))? else { return Ok(None) };
    HeldRow::from_bytes(&row).map(Some).ok_or_else(|| broken("an entry that is held back is unreadable"))
}

/// Holds an entry back.
pub(crate) fn hold(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: Hash,
    position: Position,
    held: HeldOp,
    lacks: &Lacks,
) -> Result<(), StateError> {
    room::takes(job, database.id, position)?;
    if Encryption::is_sealed(&job.block_at(position)?) {
        job.put(SEALED, position.to_bytes().to_vec(), database.id.0.to_be_bytes().to_vec());
    }
    let before = self::held(job.as_state(), database.id, &entry)?;
    if let Some(before) = before.as_ref().filter(|before| before.position != position) {
        job.delete(SEALED, before.position.to_bytes().to_vec());
    }
    let followed = before.as_ref().is_some_and(|row| row.followed);
    let row = HeldRow { position, held: Some(held), missing: 0, followed, time: None };
    place(job, core, database, entry, before, row, lacks)
}

/// Changes why an entry is held back; without a reason it is forgotten.
pub(crate) fn change(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: Hash,
    held: Option<(HeldOp, Lacks)>,
) -> Result<(), StateError> {
    let before = self::held(job.as_state(), database.id, &entry)?;
    let before = before.ok_or_else(|| broken("an entry was judged again that is not held back"))?;
    stop_waiting(job, core, database, &entry, &before)?;
    job.delete(READY, entry_key(database.id, &entry));
    let (held, lacks) = held.unzip();
    let row = HeldRow { held, missing: 0, time: None, ..before.clone() };
    place(job, core, database, entry, Some(before), row, &lacks.unwrap_or_default())
}

/// An entry that is held back was judged again, and nothing has changed.
pub(crate) fn kept(job: &mut dyn Job, database: &DatabaseInfo, entry: Hash) {
    job.delete(READY, entry_key(database.id, &entry));
}

/// Takes an entry out of those that are held back, because it joins. Whether an entry of the log follows it.
pub(crate) fn release(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: Hash,
) -> Result<(Position, bool), StateError> {
    let row = held(job.as_state(), database.id, &entry)?;
    let row = row.ok_or_else(|| broken("an entry was released that is not held back"))?;
    stop_waiting(job, core, database, &entry, &row)?;
    job.delete(READY, entry_key(database.id, &entry));
    job.delete(HELD, entry_key(database.id, &entry));
    count(job, database.id, Some(&row), None)?;
    Ok((row.position, row.followed))
}

/// What follows from an entry being in the log now.
pub(crate) fn joined(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: &Hash,
    next: &[Hash],
) -> Result<(), StateError> {
    if core.log(job.as_state(), database.id)?.held > 0 {
        for next in next {
            if let Some(row) = held(job.as_state(), database.id, next)?.filter(|row| !row.followed) {
                let row = HeldRow { followed: true, ..row };
                job.put(HELD, entry_key(database.id, next), row.to_bytes());
            }
        }
        arrived(job, core, database, *entry)?;
    }
    rights_changed(job, core, database)
}

/// The entries that wait for an identity can be judged.
pub(crate) fn identity_arrived(job: &mut dyn Job, core: &Core, identity: &Hash) -> Result<(), StateError> {
    for (database, entry) in take_waiting(job, ANY, identity)? {
        ready(job, core, database, &entry);
    }
    Ok(())
}

/// The entries that are held back for want of a right can be judged again, if this database says who has it.
fn rights_changed(job: &mut dyn Job, core: &Core, database: &DatabaseInfo) -> Result<(), StateError> {
    if database.spec.family != crate::ACCESS_FAMILY {
        return Ok(());
    }
    let prefix = key_of(database.id, &[]);
    let rows = keys(job.as_state(), PROTECTED, &prefix)?;
    for row in rows {
        let protected = database_at(&row, 4)?;
        judge_rights_again(job, core, protected)?;
    }
    Ok(())
}

/// Has everything judged again that is held back for want of a right.
pub(crate) fn judge_rights_again(job: &mut dyn Job, core: &Core, database: DatabaseId) -> Result<(), StateError> {
    if core.log(job.as_state(), database)?.held == 0 {
        return Ok(());
    }
    let mut entries = Vec::new();
    let prefix = key_of(database, &[]);
    for row in job.as_state().scan(HELD, &prefix, past(&prefix).as_deref(), false) {
        let (key, row) = row?;
        let row = HeldRow::from_bytes(&row).ok_or_else(|| broken("an entry that is held back is unreadable"))?;
        if row.held.is_some_and(|held| held.hold.is_about_rights()) {
            entries.push(hash_at(&key, 4)?);
        }
    }
    for entry in entries {
        ready(job, core, database, &entry);
    }
    Ok(())
}

fn ready(job: &mut dyn Job, core: &Core, database: DatabaseId, entry: &Hash) {
    job.put(READY, entry_key(database, entry), Vec::new());
    core.something_is_ready();
}

/// Writes the row of an entry that is held back, and what it waits for.
fn place(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: Hash,
    before: Option<HeldRow>,
    mut row: HeldRow,
    lacks: &Lacks,
) -> Result<(), StateError> {
    let waits: Vec<(DatabaseId, Hash)> = match row.held.as_ref().map(|held| &held.hold) {
        Some(Hold::Identity(identity)) => vec![(ANY, *identity)],
        _ => lacks.entries.iter().map(|entry| (database.id, *entry)).collect(),
    };
    row.missing = waits.len() as u32;
    for (of, missing) in &waits {
        job.put(WAITING, waiting_key(*of, missing, Some((database.id, entry))), Vec::new());
    }
    if let Some(HeldOp { hold: Hold::Revoked { .. }, .. }) = &row.held {
        // judged when the entries are here that say what was in the log
        if lacks.frontier.is_empty() {
            ready(job, core, database.id, &entry);
        }
        for head in &lacks.frontier {
            job.put(WAITING, waiting_key(database.id, head, Some((database.id, REVOKED))), Vec::new());
        }
        // an admin has named them, so they are worth being fetched
        let frontier: Vec<_> = lacks.frontier.iter().map(|head| (database.id, *head)).collect();
        need(job, core, database, &frontier)?;
    }
    if row.is_stepped_over() {
        row.time = time_of(job.as_state(), core, database, &row)?;
    }
    count(job, database.id, before.as_ref(), Some(&row))?;
    job.put(HELD, entry_key(database.id, &entry), row.to_bytes());
    if row.needs_ancestors() {
        need(job, core, database, &waits)?;
    }
    if row.is_stepped_over() {
        arrived(job, core, database, entry)?;
    }
    Ok(())
}

/// What is not here of what an entry waits for.
pub(crate) fn lacks(
    state: &dyn ReadState,
    core: &Core,
    database: &DatabaseInfo,
    hold: &Hold,
    links: &EntryLinks,
) -> Result<Lacks, StateError> {
    let mut lacks = Lacks::default();
    if matches!(hold, Hold::Identity(_) | Hold::Sealed) {
        return Ok(lacks);
    }
    let log = core.log(state, database.id)?;
    let is_missing = |entry: &Hash| Ok::<_, StateError>(known(core, state, &log, database, entry)?.is_none());
    for link in links.iter() {
        if !lacks.entries.contains(link) && is_missing(link)? {
            lacks.entries.push(*link);
        }
    }
    if let Hold::Revoked { user } = hold {
        for head in core.frontier(state, database, user)?.unwrap_or_default() {
            if is_missing(&head)? {
                lacks.frontier.push(head);
            }
        }
    }
    Ok(lacks)
}

/// Marks what is waited for as needed, and what that waits for.
fn need(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    waits: &[(DatabaseId, Hash)],
) -> Result<(), StateError> {
    let mut list: Vec<Hash> = waits.iter().filter(|(of, _)| *of == database.id).map(|(_, entry)| *entry).collect();
    while let Some(entry) = list.pop() {
        let Some(before) = held(job.as_state(), database.id, &entry)? else { continue };
        let mut row = before.clone();
        let Some(held) = row.held.as_mut().filter(|held| !held.needed) else { continue };
        held.needed = true;
        // what a pending entry waits for is needed already
        if row.missing > 0
            && row.needs_ancestors()
            && before.held.as_ref().is_some_and(|held| held.hold != Hold::Missing)
        {
            let links = links_at(job.as_state(), core, row.position)?;
            list.extend(links.next.into_iter().chain(links.refs));
        }
        count(job, database.id, Some(&before), Some(&row))?;
        job.put(HELD, entry_key(database.id, &entry), row.to_bytes());
    }
    Ok(())
}

/// An entry is known now: those that wait for it wait for one less.
fn arrived(job: &mut dyn Job, core: &Core, database: &DatabaseInfo, entry: Hash) -> Result<(), StateError> {
    let mut list = vec![entry];
    while let Some(entry) = list.pop() {
        for (_, waiter) in take_waiting(job, database.id, &entry)? {
            if waiter == REVOKED {
                judge_rights_again(job, core, database.id)?;
                continue;
            }
            let Some(mut row) = held(job.as_state(), database.id, &waiter)? else { continue };
            row.missing = row.missing.saturating_sub(1);
            if row.is_stepped_over() {
                row.time = time_of(job.as_state(), core, database, &row)?;
                list.push(waiter);
            } else if row.missing == 0 {
                ready(job, core, database.id, &waiter);
            }
            job.put(HELD, entry_key(database.id, &waiter), row.to_bytes());
        }
    }
    Ok(())
}

/// The time of an entry that is stepped over, if it is one that an entry may have there. It says nothing about rights, so
/// replicas agree on it whatever they know of those.
fn time_of(
    state: &dyn ReadState,
    core: &Core,
    database: &DatabaseInfo,
    row: &HeldRow,
) -> Result<Option<u64>, StateError> {
    let Ok(block) = open_entry(core, state, row.position, state.block_at(row.position)?) else { return Ok(None) };
    let Ok(entry) = Entry::decode(&block) else { return Ok(None) };
    let log = core.log(state, database.id)?;
    let mut before = 0;
    for next in entry.next() {
        before = before.max(known(core, state, &log, database, next)?.map_or(0, |known| known.time()));
    }
    let time = entry.clock().time;
    Ok(core.limits.check_time(time, before).is_ok().then_some(time))
}

pub(super) fn stop_waiting(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: &Hash,
    row: &HeldRow,
) -> Result<(), StateError> {
    let Some(held) = row.held.as_ref().filter(|_| row.missing > 0) else { return Ok(()) };
    if let Hold::Identity(identity) = held.hold {
        job.delete(WAITING, waiting_key(ANY, &identity, Some((database.id, *entry))));
        return Ok(());
    }
    let links = links_at(job.as_state(), core, row.position)?;
    for link in links.next.iter().chain(&links.refs) {
        job.delete(WAITING, waiting_key(database.id, link, Some((database.id, *entry))));
    }
    Ok(())
}

/// What the entry at a position builds on; nothing, where that cannot be read.
pub(crate) fn links_at(state: &dyn ReadState, core: &Core, position: Position) -> Result<EntryLinks, StateError> {
    let block = open_entry(core, state, position, state.block_at(position)?);
    Ok(block.map(|block| Entry::links_of(&block)).unwrap_or_default())
}

/// Takes the rows of what waits for `missing`.
fn take_waiting(job: &mut dyn Job, of: DatabaseId, missing: &Hash) -> Result<Vec<(DatabaseId, Hash)>, StateError> {
    let mut waiting = Vec::new();
    for key in keys(job.as_state(), WAITING, &waiting_key(of, missing, None))? {
        waiting.push((database_at(&key, 36)?, hash_at(&key, 40)?));
        job.delete(WAITING, key);
    }
    Ok(waiting)
}

/// Counts what is held back.
fn count(
    job: &mut dyn Job,
    database: DatabaseId,
    before: Option<&HeldRow>,
    after: Option<&HeldRow>,
) -> Result<(), StateError> {
    let row = job.get(LOGS, &key_of(database, &[]))?;
    let mut log = match row {
        None => LogRow::default(),
        Some(row) => LogRow::from_bytes(&row).ok_or_else(|| broken("the heads of a database are unreadable"))?,
    };
    for (row, add) in [(before, false), (after, true)] {
        let Some(row) = row else { continue };
        let by = |count: u64, n: u64| if add { count + n } else { count.saturating_sub(n) };
        log.held = by(log.held, 1);
        if row.is_pending() {
            log.pending = by(log.pending, 1);
        }
        if row.is_unneeded()
            && let Some(held) = &row.held
        {
            let pool = &mut log.unneeded[held.hold.pool()];
            *pool = Unneeded { entries: by(pool.entries, 1), bytes: by(pool.bytes, row.position.len.into()) };
        }
    }
    job.put(LOGS, key_of(database, &[]), log.to_bytes());
    Ok(())
}

fn keys(state: &dyn ReadState, table: debros_ipfs::Table, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StateError> {
    state.scan(table, prefix, past(prefix).as_deref(), false).map(|row| Ok(row?.0)).collect()
}

fn database_at(key: &[u8], at: usize) -> Result<DatabaseId, StateError> {
    let number = key.get(at..).and_then(|rest| rest.first_chunk());
    number.map(|number| DatabaseId(u32::from_be_bytes(*number))).ok_or_else(|| broken("a key is too short"))
}

/// The hash that lies in a key.
pub(crate) fn hash_at(key: &[u8], at: usize) -> Result<Hash, StateError> {
    let digest = key.get(at..).and_then(|rest| rest.first_chunk());
    digest.map(|digest| Hash::from_digest(*digest)).ok_or_else(|| broken("a key is too short"))
}

fn broken(what: &str) -> StateError {
    StateError::Broken(what.to_owned())
}
