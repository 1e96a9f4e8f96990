//! [`Replay`]: state, out of the journal.

use super::{
    Author, Core, Job, Judged, StateError,
    accept::{Accepted, settle},
    core::{counter, info_to_bytes, number_at},
    tables::{ADDRESSES, AUTHORS, COUNTERS, DATABASES, FAMILIES, IDENTITIES, MEMBERS, NAMES, name_key},
};
use crate::{
    DatabaseId, DatabaseSpec, Hash, IdentityBlock, Payload, entry::EntryParts, journal_op::JournalOp, shipping::Shipped,
};
use debros_core::Value;
use debros_ipfs::{Apply, ApplyError, Group};
use std::sync::Arc;

/// The rules by which this version derives state; another number, and state is derived anew.
const VERSION: u32 = 2;

/// Derives state from the operations of the journal and their blocks.
pub(crate) struct Replay {
    pub(crate) core: Arc<Core>,
}

impl Apply for Replay {
    fn fingerprint(&self) -> Vec<u8> {
        let mut fingerprint = format!("orbit {VERSION}; ").into_bytes();
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
    match &op {
        JournalOp::DatabaseOpened { id, manifest, spec } => database_opened(&op, *id, manifest, spec, job),
        JournalOp::IdentityAdded { block } => {
            let (_, bytes, _) = job.group_block(*block).ok_or_else(|| missing(*block))?;
            let identity = IdentityBlock::decode(bytes).map_err(|e| StateError::Broken(e.to_string()))?;
            let author = Author::new(counter(job.as_state(), "a")?, &identity);
            job.put(COUNTERS, b"a".to_vec(), (author.number + 1).to_be_bytes().to_vec());
            job.put(AUTHORS, author.number.to_be_bytes().to_vec(), author.to_bytes());
            job.put(IDENTITIES, author.hash.digest().to_vec(), author.number.to_be_bytes().to_vec());
            Ok(())
        }
        JournalOp::EntryAccepted { database, block } => entry_accepted(core, *database, *block, job),
        JournalOp::Shipped { daemon, until, added, replaced } => Shipped::shipped(daemon, *until, added, replaced, job),
        JournalOp::ShipmentsLost { daemon, databases, until } => Shipped::lost(daemon, databases, *until, job),
        JournalOp::ShippedAgain { daemon, until, added } => Shipped::shipped_again(daemon, *until, added, job),
    }
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
    job.put(DATABASES, number.to_vec(), info_to_bytes(family, op));
    job.put(ADDRESSES, manifest.digest().to_vec(), number.to_vec());
    job.put(NAMES, name_key(&spec.name, Some(id)), Vec::new());
    job.put(MEMBERS, [family.to_be_bytes(), number].concat(), Vec::new());
    Ok(())
}

fn entry_accepted(core: &Core, database: DatabaseId, block: u32, job: &mut dyn Job) -> Result<(), StateError> {
    let (cid, bytes, position) = job.group_block(block).ok_or_else(|| missing(block))?;
    let unreadable =
        |e: &dyn std::fmt::Display| StateError::Broken(format!("the entry at {position} is unreadable: {e}"));
    let hash = Hash::from_cid(cid).ok_or_else(|| unreadable(&cid))?;
    let parts = EntryParts::parse(bytes).map_err(|e| unreadable(&e))?;
    let identity: Hash = parts.identity.parse().map_err(|e| unreadable(&e))?;
    let (time, next) = (parts.time, parts.next().map_err(|e| unreadable(&e))?);
    let payload = Value::from_trusted_dag_cbor(parts.payload).map_err(|e| unreadable(&e))?;
    let payload = Payload::from_value(payload);
    let state = job.as_state();
    let info = core.info(state, database)?;
    let info = info.ok_or_else(|| {
        StateError::Broken(format!("an entry belongs to database {database}, which was never opened"))
    })?;
    let author = core.author_of(state, &identity)?;
    let author = author
        .ok_or_else(|| StateError::Broken(format!("an entry is by the identity {identity}, which was never added")))?;
    let judged = Judged::of(state, core, &info, &author, payload.as_ref())?;
    settle(job, core, &info, &author, &Accepted { hash, position, time, next: &next }, judged)
}
