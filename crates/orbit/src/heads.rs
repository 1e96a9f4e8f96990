//! The heads of a log, and what lies behind them.

use crate::{
    Clock, DatabaseId, DatabaseInfo, Encryption, Hash,
    entry::EntryParts,
    log::{Links, Traverse},
    state::{Core, StateError, dropped, held, links_at, open_entry, sealed_entry},
};
use debros_ipfs::{Bytes, Position, ReadState};
use std::collections::HashSet;

/// The heads of a database's log, newest first.
pub(crate) fn sorted(
    core: &Core,
    state: &dyn ReadState,
    database: DatabaseId,
) -> Result<Vec<(Clock, Hash)>, StateError> {
    let mut heads = Vec::new();
    for head in core.log(state, database)?.heads {
        let clock = Clock { id: core.author(state, head.author)?.key, time: head.time };
        heads.push((clock, head.hash));
    }
    heads.sort_unstable_by(|a, b| b.cmp(a));
    Ok(heads)
}

/// The entries of a log that lie behind `roots`, with them, newest first. What was refused is walked past.
pub(crate) fn behind<'s>(
    core: &'s Core,
    state: &'s dyn ReadState,
    database: &DatabaseInfo,
    roots: &[Hash],
) -> Result<impl Iterator<Item = Result<Hash, StateError>> + use<'s>, StateError> {
    let database = database.clone();
    let roots = joined_of(core, state, &database, roots)?;
    Ok(Traverse::new(roots, move |hash: &Hash| {
        let missing = || StateError::Broken(format!("entry {hash} of a log is missing"));
        let mut links = joined(core, state, &database, hash)?.ok_or_else(missing)?;
        links.next = joined_of(core, state, &database, &links.next)?;
        Ok(links)
    }))
}

/// Those of these entries that are in the log; in place of those that were refused, what they build on.
pub(crate) fn joined_of(
    core: &Core,
    state: &dyn ReadState,
    database: &DatabaseInfo,
    entries: &[Hash],
) -> Result<Vec<Hash>, StateError> {
    let log = core.log(state, database.id)?;
    if log.held == 0 {
        return Ok(entries.to_vec());
    }
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut list = entries.to_vec();
    while let Some(hash) = list.pop() {
        if !seen.insert(hash) {
            continue;
        }
        match held(state, database.id, &hash)? {
            Some(row) => list.extend(links_at(state, core, row.position)?.next),
            None => found.push(hash),
        }
    }
    Ok(found)
}

/// The clock of an entry that is in the log, and what it follows; `None` if it is not, as far as its block tells. One that
/// is held back may look as if it were: see [`known`](crate::state::known).
pub(crate) fn joined(
    core: &Core,
    state: &dyn ReadState,
    database: &DatabaseInfo,
    hash: &Hash,
) -> Result<Option<Links>, StateError> {
    let Some((position, block)) = block(core, state, database, hash)? else { return Ok(None) };
    // what was in the log when it was dropped is in the segments yet
    if dropped(state, database.id)?.is_some_and(|dropped| position < dropped.before) {
        return Ok(None);
    }
    let Ok(parts) = EntryParts::parse(&block) else { return Ok(None) };
    if parts.log != database.log {
        return Ok(None);
    }
    // who is no key, or follows what is no hash, did not join
    let (Ok(id), Ok(next)) = (parts.clock_id.parse(), parts.next()) else { return Ok(None) };
    Ok(Some(Links { clock: Clock { id, time: parts.time }, next }))
}

/// The entry of this name, and where it lies: opened, if it is encrypted as a whole, which only entries of the log are that
/// are known by their database.
pub(crate) fn block(
    core: &Core,
    state: &dyn ReadState,
    database: &DatabaseInfo,
    hash: &Hash,
) -> Result<Option<(Position, Bytes)>, StateError> {
    if let Some(sealed) = sealed_entry(state, database.id, hash)? {
        let block = state.block_at(sealed.position)?;
        return Ok(Some((sealed.position, open_entry(core, state, sealed.position, block)?)));
    }
    let found = state.block(&hash.cid())?;
    Ok(found.filter(|(_, block)| !Encryption::is_sealed(block)))
}
