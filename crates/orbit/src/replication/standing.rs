//! How a log here stands to what a peer has told.

use super::replicator::{Action, Replicator};
use crate::{
    DatabaseInfo, Encryption, Entry, Hash, Hold, JoinError, LimitError, Limits, LogError, ReadError, Receipt, Received,
    Snapshot,
    entry::EntryParts,
    heads,
    state::{LogRow, StateError, dropped, held},
};
use debros_ipfs::{ReadState as _, Verdict};
use std::time::Instant;

/// So many entries that were written one after the other are told one by one.
const ONE_BY_ONE: usize = 16;

/// Is there something to learn from an entry that has come?
pub(super) fn is_new(snapshot: &Snapshot, info: &DatabaseInfo, hash: &Hash) -> Result<bool, JoinError> {
    Ok(match held(&snapshot.state, info.id, hash)? {
        // one that was forgotten is judged anew
        Some(row) => row.held.is_none(),
        None => match snapshot.state.block(&hash.cid()).map_err(ReadError::from)? {
            // one that was dropped is in the segments yet
            Some((position, _)) => dropped(&snapshot.state, info.id)?.is_some_and(|dropped| position < dropped.before),
            None => true,
        },
    })
}

/// Is it held back as one that nobody should have made?
pub(super) fn is_refused(snapshot: &Snapshot, info: &DatabaseInfo, hash: &Hash) -> Result<bool, StateError> {
    let row = held(&snapshot.state, info.id, hash)?;
    Ok(row.and_then(|row| row.held).is_some_and(|held| matches!(held.hold, Hold::Refused { .. })))
}

/// What a message of the topic is worth whose entry is here; `None`, if it is not. Only what is in the log of this database is passed on:
/// of what is held back, others may think otherwise.
pub(super) fn judge_known(
    snapshot: &Snapshot,
    info: &DatabaseInfo,
    hash: &Hash,
) -> Result<Option<Verdict>, StateError> {
    Ok(match held(&snapshot.state, info.id, hash)? {
        // one that was forgotten is judged anew
        Some(row) => row.held.map(|_| Verdict::Unknown),
        None => heads::joined(&snapshot.core, &snapshot.state, info, hash)?.map(|_| Verdict::Good),
    })
}

/// What a message of the topic is worth whose entry is new, and the entry, if it is one of this database.
pub(super) fn judge(
    data: &[u8],
    info: &DatabaseInfo,
    limits: &Limits,
    encryption: &Encryption,
) -> (Verdict, Option<Received>) {
    let received = Received::read(data, limits, encryption);
    match (received.entry().map(Entry::log), received.refusal()) {
        (Some(log), None) if log == info.address => (Verdict::Good, Some(received)),
        // without its key nobody can say
        (_, Some(refusal)) if Hold::of(refusal) == Some(Hold::Sealed) => (Verdict::Unknown, Some(received)),
        _ => (Verdict::Bad, None),
    }
}

/// How many of these no honest peer would have sent: what nobody should have made, unless somebody who may write builds on it.
pub(super) fn forged(snapshot: &Snapshot, info: &DatabaseInfo, receipt: &Receipt) -> u32 {
    let refused = receipt.held.iter().filter(|(_, hold)| matches!(hold, Hold::Refused { .. }));
    let needed = |hash: &Hash| {
        let row = held(&snapshot.state, info.id, hash).ok().flatten();
        row.is_none_or(|row| row.is_needed() || row.followed)
    };
    let forged = refused.filter(|(hash, _)| !needed(hash)).count();
    let others = receipt.not_kept.iter().filter(|(_, error)| is_fault(error)).count();
    u32::try_from(forged + others).unwrap_or(u32::MAX)
}

/// Why an entry was not kept: is it one that no honest peer sends, or is there no room?
fn is_fault(error: &JoinError) -> bool {
    match error {
        JoinError::Log(LogError::OtherLog { .. }) | JoinError::Entry(_) | JoinError::Identity(_) => true,
        JoinError::Limit(LimitError::EntryBytes { .. }) => true,
        JoinError::Limit(LimitError::Quarantined { hold, .. } | LimitError::QuarantinedBytes { hold, .. }) => {
            matches!(hold, Hold::Refused { .. })
        }
        _ => false,
    }
}

/// Was something not kept for want of room?
pub(super) fn is_full(receipt: &Receipt) -> bool {
    let full = |error: &JoinError| {
        matches!(
            error,
            JoinError::Limit(
                LimitError::Pending { .. }
                    | LimitError::Quarantined { .. }
                    | LimitError::QuarantinedBytes { .. }
                    | LimitError::Entries { .. }
            )
        )
    };
    receipt.not_kept.iter().any(|(_, error)| full(error))
}

/// Those of these heads of a peer that have to be fetched: others are in the log, or known and refused. None, if no more could be
/// kept: for want of the key to read them, or because the log has as many entries as it may have.
pub(super) fn lacking(snapshot: &Snapshot, info: &DatabaseInfo, theirs: &[Hash]) -> Result<Vec<Hash>, StateError> {
    let log = snapshot.core.log(&snapshot.state, info.id)?;
    let (core, is_bound) = (&snapshot.core, |most: u64| log.entries + log.held >= most);
    if log.unneeded[Hold::Sealed.pool()].entries >= core.limits.quarantined
        || core.schema.last_events(info).is_some_and(|kept| is_bound(kept.entries))
    {
        return Ok(Vec::new());
    }
    let mut lacking = Vec::new();
    for head in theirs {
        let is_here = match held(&snapshot.state, info.id, head)? {
            Some(row) => row.held.is_some_and(|held| !held.hold.lacks()),
            None => heads::joined(&snapshot.core, &snapshot.state, info, head)?.is_some(),
        };
        if !is_here {
            lacking.push(*head);
        }
    }
    Ok(lacking)
}

/// Are these heads of a peer in the log?
pub(super) fn has_joined(snapshot: &Snapshot, info: &DatabaseInfo, theirs: &[Hash]) -> Result<bool, StateError> {
    for head in theirs {
        if held(&snapshot.state, info.id, head)?.is_some()
            || heads::joined(&snapshot.core, &snapshot.state, info, head)?.is_none()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells a replicator the heads that a log has now; what is to be done, if they are others than it knew.
pub(super) fn look(
    replicator: &mut Replicator,
    snapshot: &Snapshot,
    info: &DatabaseInfo,
    log: &LogRow,
    now: Instant,
) -> Result<Option<Vec<Action>>, ReadError> {
    let heads: Vec<Hash> = log.heads.iter().map(|head| head.hash).collect();
    if replicator.has(&heads) {
        return Ok(None);
    }
    let fresh = fresh(snapshot, info, &heads, replicator)?;
    Ok(Some(replicator.heads(heads, fresh, now)))
}

/// The entries that were written here since the heads were those of the replicator, older ones first; the heads alone, if they are
/// many: then peers ask for them. What was written elsewhere, whoever wrote it tells.
fn fresh(
    snapshot: &Snapshot,
    database: &DatabaseInfo,
    heads: &[Hash],
    replicator: &Replicator,
) -> Result<Vec<Hash>, ReadError> {
    let mut list: Vec<Hash> = heads.to_vec();
    let mut found: Vec<(u64, Hash)> = Vec::new();
    while let Some(hash) = list.pop() {
        if replicator.has_head(&hash) || found.iter().any(|(_, known)| *known == hash) {
            continue;
        }
        let Some((_, block)) = heads::block(&snapshot.core, &snapshot.state, database, &hash)? else { continue };
        let Ok(parts) = EntryParts::parse(&block) else { continue };
        let Ok(identity) = parts.identity.parse() else { continue };
        let author = snapshot.core.author_of(&snapshot.state, &identity)?;
        if !author.is_some_and(|author| snapshot.core.is_written_here(&author)) {
            continue;
        }
        if found.len() >= ONE_BY_ONE {
            return Ok(Vec::new());
        }
        found.push((parts.time, hash));
        list.extend(parts.next().unwrap_or_default());
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, hash)| hash).collect())
}
