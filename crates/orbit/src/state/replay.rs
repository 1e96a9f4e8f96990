//! [`Replay`]: state, out of the journal.

use super::{
    Author, Core, Job, Judged, StateError,
    accept::{Accepted, settle, settle_read},
    core::{count_entry, counter, info_to_bytes, number_at},
    dropping, hold, room,
    sealed::{open_entry, open_payload},
    tables::{
        ADDRESSES, AUTHORS, COUNTERS, DATABASES, FAMILIES, IDENTITIES, MEMBERS, NAMES, PROTECTED, UNREAD, entry_key,
        key_of, name_key,
    },
};
use crate::{
    DatabaseId, DatabaseInfo, DatabaseSpec, Encryption, Hash, IdentityBlock, MAX_JUMP, Payload, effect::Effect,
    entry::EntryParts, journal_op::JournalOp, shipping::Shipped,
};
use debros_core::Value;
use debros_ipfs::{Apply, ApplyError, Group, Position};
use std::sync::Arc;

/// The rules by which this version derives state; another number, and state is derived anew.
const VERSION: u32 = 7;

/// Derives state from the operations of the journal and their blocks.
pub(crate) struct Replay {
    pub(crate) core: Arc<Core>,
}

impl Apply for Replay {
    fn fingerprint(&self) -> Vec<u8> {
        let mut fingerprint = format!("orbit {VERSION}; ").into_bytes();
        // which times entries that are stepped over may have follows from it
        if self.core.limits.jump != MAX_JUMP {
            fingerprint.extend(format!("jump {}; ", self.core.limits.jump).into_bytes());
        }
        fingerprint.extend(self.core.schema.fingerprint());
        fingerprint
    }

    fn apply(&self, op: &[u8], group: &mut Group<'_>) -> Result<(), ApplyError> {
        apply(&self.core, op, group).map_err(refused)
    }
}

/// A failure of the store stays one; everything else says that the operation makes no sense.
pub(crate) fn refused(error: StateError) -> ApplyError {
    match error {
        StateError::Store(error) => ApplyError::Store(error),
        other => ApplyError::refused(other),
    }
}

fn apply(core: &Core, op: &[u8], job: &mut dyn Job) -> Result<(), StateError> {
    let op = JournalOp::from_bytes(op)?;
    if let Some(database) = op.database() {
        core.touch(database);
    }
    if is_skipped(&op, job)? {
        return Ok(());
    }
    match &op {
        JournalOp::DatabaseOpened { id, manifest, spec } => database_opened(&op, *id, manifest, spec, job),
        JournalOp::IdentityAdded { block } => {
            let (_, bytes, _) = job.group_block(*block).ok_or_else(|| missing(*block))?;
            let identity = IdentityBlock::decode(bytes).map_err(|e| StateError::Broken(e.to_string()))?;
            let author = Author::new(counter(job.as_state(), "a")?, &identity);
            job.put(COUNTERS, b"a".to_vec(), (author.number + 1).to_be_bytes().to_vec());
            job.put(AUTHORS, author.number.to_be_bytes().to_vec(), author.to_bytes());
            job.put(IDENTITIES, author.hash.digest().to_vec(), author.number.to_be_bytes().to_vec());
            hold::identity_arrived(job, core, &author.hash)
        }
        JournalOp::EntryAccepted { database, block, effect } => {
            let (hash, position) = entry_at(*block, job)?;
            room::takes(job, *database, position)?;
            let joins = Joins { hash, position, followed: false, local: effect.local };
            // what it did is not compared: under the models of today it may be something else
            entry_joined(core, *database, &joins, job).map(drop)
        }
        JournalOp::Shipped { daemon, until, added, replaced } => Shipped::shipped(daemon, *until, added, replaced, job),
        JournalOp::ShipmentsLost { daemon, databases, until } => Shipped::lost(daemon, databases, *until, job),
        JournalOp::ShippedAgain { daemon, until, added } => Shipped::shipped_again(daemon, *until, added, job),
        JournalOp::Unpinned { daemon, databases } => Shipped::unpinned(daemon, databases, job),
        JournalOp::EntryHeld { database, block, held, lacks } => {
            let info = database_of(core, *database, job)?;
            let (hash, position) = entry_at(*block, job)?;
            hold::hold(job, core, &info, hash, position, held.clone(), lacks)
        }
        JournalOp::EntryReleased { database, hash, .. } => entry_released(core, *database, *hash, job).map(drop),
        JournalOp::HoldChanged { database, hash, held } => {
            let info = database_of(core, *database, job)?;
            hold::change(job, core, &info, *hash, held.clone())
        }
        JournalOp::HoldKept { database, hash } => {
            let info = database_of(core, *database, job)?;
            hold::kept(job, &info, *hash);
            Ok(())
        }
        JournalOp::EntriesRead { database, entries } => {
            let hashes = entries.iter().map(|(hash, _)| *hash);
            entries_read(core, *database, hashes, job).map(drop)
        }
        JournalOp::DatabaseDropped { database, block } => {
            let info = database_of(core, *database, job)?;
            let (_, _, position) = job.group_block(*block).ok_or_else(|| missing(*block))?;
            dropping::begin(job, &info, position)
        }
        JournalOp::RowsDropped { database, most } => {
            let info = database_of(core, *database, job)?;
            dropping::remove_rows(job, core, &info, *most as usize)
        }
        JournalOp::DatabaseReopened { database } => {
            let info = database_of(core, *database, job)?;
            dropping::reopen(job, core, &info)
        }
        JournalOp::RightsChanged { database } => hold::judge_rights_again(job, core, *database),
        JournalOp::SegmentsRewritten { segments } => {
            segments.iter().try_for_each(|(segment, dead)| room::taken(job, *segment, *dead))
        }
    }
}

/// Is this about the log of a database that was dropped later, and of which blocks were taken out? Then it changes nothing that
/// is left after that but counts.
fn is_skipped(op: &JournalOp, job: &mut dyn Job) -> Result<bool, StateError> {
    let (database, block, joins) = match op {
        JournalOp::EntryAccepted { database, block, .. } => (*database, Some(*block), true),
        JournalOp::EntryHeld { database, block, .. } => (*database, Some(*block), false),
        JournalOp::EntryReleased { database, .. } => (*database, None, true),
        JournalOp::HoldChanged { database, .. }
        | JournalOp::HoldKept { database, .. }
        | JournalOp::EntriesRead { database, .. }
        | JournalOp::RightsChanged { database } => (*database, None, false),
        _ => return Ok(false),
    };
    let gone = block.and_then(|block| job.gone_block(block));
    if gone.is_some() {
        room::thin(job, database);
    } else if !room::is_thinned(job.as_state(), database)? {
        return Ok(false);
    }
    let there = block.and_then(|block| job.group_block(block)).map(|(_, _, position)| position);
    if let Some(position) = gone.or(there) {
        room::takes(job, database, position)?;
    }
    if joins {
        count_entry(job)?;
    }
    Ok(true)
}

fn missing(block: u32) -> StateError {
    StateError::Broken(format!("an operation names block {block} of its group, which has none"))
}

fn database_opened(
    op: &JournalOp,
    id: DatabaseId,
    manifest: &Hash,
    spec: &DatabaseSpec,
    job: &mut dyn Job,
) -> Result<(), StateError> {
    let state = job.as_state();
    if counter(state, "d")? != id.0 || number_at(state, ADDRESSES, manifest.digest())?.is_some() {
        return Err(StateError::Broken(format!("database {id} was opened out of turn")));
    }
    let next_family = counter(state, "f")?;
    let known = number_at(state, FAMILIES, spec.family.as_bytes())?;
    let (family, number) = (known.unwrap_or(next_family), id.0.to_be_bytes());
    if known.is_none() {
        job.put(FAMILIES, spec.family.clone().into_bytes(), family.to_be_bytes().to_vec());
        job.put(COUNTERS, b"f".to_vec(), (next_family + 1).to_be_bytes().to_vec());
    }
    job.put(COUNTERS, b"d".to_vec(), (id.0 + 1).to_be_bytes().to_vec());
    let controller = match spec.access.controller() {
        None => None,
        Some(controller) => {
            let address = controller.address().map_err(|e| StateError::Broken(e.to_string()))?;
            let controller = number_at(job.as_state(), ADDRESSES, address.manifest().digest())?;
            let controller = controller.map(DatabaseId).ok_or_else(|| {
                StateError::Broken(format!("database {id} was opened before the one that says who may write it"))
            })?;
            job.put(PROTECTED, key_of(controller, &number), Vec::new());
            Some(controller)
        }
    };
    job.put(DATABASES, number.to_vec(), info_to_bytes(family, controller, op));
    job.put(ADDRESSES, manifest.digest().to_vec(), number.to_vec());
    job.put(NAMES, name_key(&spec.name, Some(id)), Vec::new());
    job.put(MEMBERS, [family.to_be_bytes(), number].concat(), Vec::new());
    Ok(())
}

fn database_of(core: &Core, database: DatabaseId, job: &dyn Job) -> Result<Arc<DatabaseInfo>, StateError> {
    let info = core.info(job.as_state(), database)?;
    info.ok_or_else(|| StateError::Broken(format!("an entry belongs to database {database}, which was never opened")))
}

/// The name of an entry of the group, and where it lies.
fn entry_at(block: u32, job: &dyn Job) -> Result<(Hash, Position), StateError> {
    let (cid, _, position) = job.group_block(block).ok_or_else(|| missing(block))?;
    let hash = Hash::from_cid(cid).ok_or_else(|| StateError::Broken(format!("the block {cid} is no entry")))?;
    Ok((hash, position))
}

/// An entry that was held back joins its log. Gives what it did.
pub(crate) fn entry_released(
    core: &Core,
    database: DatabaseId,
    hash: Hash,
    job: &mut dyn Job,
) -> Result<Effect, StateError> {
    let info = database_of(core, database, job)?;
    let (position, followed) = hold::release(job, core, &info, hash)?;
    entry_joined(core, database, &Joins { hash, position, followed, local: false }, job)
}

/// An entry that joins its log.
struct Joins {
    hash: Hash,
    position: Position,
    followed: bool,
    local: bool,
}

fn entry_joined(core: &Core, database: DatabaseId, joins: &Joins, job: &mut dyn Job) -> Result<Effect, StateError> {
    let Joins { hash, position, followed, local } = *joins;
    let block = job.block_at(position)?;
    // not yet in the table of what is encrypted
    let bytes = match Encryption::is_sealed(&block) {
        false => block,
        true => {
            let info = database_of(core, database, job)?;
            let sealed = |source| StateError::Sealed { database: info.spec.name.clone(), source };
            core.encryption(&info.address).open_block(&block).map_err(sealed)?.into_owned().into()
        }
    };
    let read = read(core, database, &bytes, position, job)?;
    let Read { info, author, time, next, payload } = &read;
    let judged = Judged::of(job.as_state(), core, info, author, payload.as_ref().and_then(Option::as_ref))?;
    let accepted = Accepted { hash, position, time: *time, next, followed, unread: payload.is_none(), local };
    settle(job, core, info, author, &accepted, judged)
}

/// What is needed of an entry to settle it.
struct Read {
    info: Arc<DatabaseInfo>,
    author: Arc<Author>,
    time: u64,
    next: Vec<Hash>,
    /// `None` if it cannot be decrypted; and nothing in it if it means nothing.
    payload: Option<Option<Payload>>,
}

fn read(
    core: &Core,
    database: DatabaseId,
    bytes: &[u8],
    position: Position,
    job: &dyn Job,
) -> Result<Read, StateError> {
    let unreadable =
        |e: &dyn std::fmt::Display| StateError::Broken(format!("the entry at {position} is unreadable: {e}"));
    let parts = EntryParts::parse(bytes).map_err(|e| unreadable(&e))?;
    let identity: Hash = parts.identity.parse().map_err(|e| unreadable(&e))?;
    let (time, next) = (parts.time, parts.next().map_err(|e| unreadable(&e))?);
    let payload = Value::from_trusted_dag_cbor(parts.payload).map_err(|e| unreadable(&e))?;
    let payload = open_payload(core, parts.log, payload).map(Payload::from_value);
    let info = database_of(core, database, job)?;
    let author = core.author_of(job.as_state(), &identity)?;
    let author = author
        .ok_or_else(|| StateError::Broken(format!("an entry is by the identity {identity}, which was never added")))?;
    Ok(Read { info, author, time, next, payload })
}

/// The payloads of entries can be read. Gives what each did.
pub(crate) fn entries_read(
    core: &Core,
    database: DatabaseId,
    entries: impl Iterator<Item = Hash>,
    job: &mut dyn Job,
) -> Result<Vec<(Hash, Effect)>, StateError> {
    let mut effects = Vec::new();
    for hash in entries {
        let Some(row) = job.get(UNREAD, &entry_key(database, &hash))? else { continue };
        let position = Position::from_bytes(&row)
            .ok_or_else(|| StateError::Broken("a row of `unread` is no position".to_owned()))?;
        let bytes = open_entry(core, job.as_state(), position, job.block_at(position)?)?;
        let Read { info, author, time, next, payload } = read(core, database, &bytes, position, job)?;
        // without the key, as when the journal is replayed without it, it stays unread
        let Some(payload) = payload else { continue };
        let judged = Judged::of(job.as_state(), core, &info, &author, payload.as_ref())?;
        let accepted = Accepted { hash, position, time, next: &next, followed: false, unread: false, local: false };
        effects.push((hash, settle_read(job, core, &info, &author, &accepted, judged)?));
    }
    Ok(effects)
}
