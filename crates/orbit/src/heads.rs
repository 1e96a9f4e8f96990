//! The heads of a log, and what lies behind them.

use crate::{
    Clock, DatabaseId, Hash,
    entry::EntryParts,
    log::{Links, Traverse},
    state::{Core, StateError, open_entry},
};
use debros_ipfs::ReadState;

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

/// What lies behind the heads, newest first.
pub(crate) fn behind<'s>(
    core: &'s Core,
    state: &'s dyn ReadState,
    heads: &[Hash],
) -> impl Iterator<Item = Result<Hash, StateError>> + use<'s> {
    Traverse::new(heads.iter().copied(), move |hash: &Hash| {
        links(core, state, hash)?.ok_or_else(|| StateError::Broken(format!("entry {hash} of a log is missing")))
    })
}

/// The clock of an entry that is in the store, and what it follows.
fn links(core: &Core, state: &dyn ReadState, hash: &Hash) -> Result<Option<Links>, StateError> {
    Ok(entry(core, state, hash)?.map(|(_, links)| links))
}

/// The log of an entry that is in the store, its clock, and what it follows; `None` if the store has no such block, or
/// it is no entry.
pub(crate) fn entry(core: &Core, state: &dyn ReadState, hash: &Hash) -> Result<Option<(String, Links)>, StateError> {
    let Some((position, block)) = state.block(&hash.cid())? else { return Ok(None) };
    let Ok(block) = open_entry(core, state, position, block) else { return Ok(None) };
    let Ok(parts) = EntryParts::parse(&block) else { return Ok(None) };
    let unreadable = |e: &dyn std::fmt::Display| StateError::Broken(format!("entry {hash} is unreadable: {e}"));
    let id = parts.clock_id.parse().map_err(|e| unreadable(&e))?;
    let next = parts.next().map_err(|e| unreadable(&e))?;
    Ok(Some((parts.log.to_owned(), Links { clock: Clock { id, time: parts.time }, next })))
}
