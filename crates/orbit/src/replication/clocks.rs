use crate::{
    DatabaseInfo, Hash, Snapshot,
    entry::EntryParts,
    heads,
    state::{CLOCKS, StateError, clock_at, key_of, past},
};
use debros_ipfs::ReadState as _;
use std::collections::HashMap;

/// So many are told at most.
pub(super) const MAX_CLOCKS: usize = 1024;
/// Of a log by more, those of its newest entries are told, so many of them.
const NEWEST: usize = 4096;

/// Of identities, the time up to which everything that they wrote is in a log: a device writes its entries one after
/// the other, each on those before.
pub(super) type Clocks = HashMap<Hash, u64>;

/// The clocks of a log. Of a log by more than [`MAX_CLOCKS`], some of them: what is told has to be bounded.
pub(super) fn clocks(snapshot: &Snapshot, database: &DatabaseInfo) -> Result<Clocks, StateError> {
    let (core, state) = (&snapshot.core, &snapshot.state);
    let log = core.log(state, database.id)?;
    let mut clocks = Clocks::new();
    if log.writers <= MAX_CLOCKS as u64 {
        let prefix = key_of(database.id, &[]);
        for row in state.scan(CLOCKS, &prefix, past(&prefix).as_deref(), false) {
            let (key, time) = row?;
            let number = key.get(4..).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes);
            let number = number.ok_or_else(|| StateError::Broken("a key of `clocks` is too short".to_owned()))?;
            clocks.extend(
                clock_at(Some(&time))?
                    .map(|time| (number, time))
                    .map(|(number, time)| core.author(state, number).map(|author| (author.hash, time)))
                    .transpose()?,
            );
        }
        return Ok(clocks);
    }
    let roots: Vec<Hash> = log.heads.iter().map(|head| head.hash).collect();
    for hash in heads::behind(core, state, database, &roots)?.take(NEWEST) {
        let Some((_, block)) = heads::block(core, state, database, &hash?)? else { continue };
        if let Ok(parts) = EntryParts::parse(&block)
            && let Ok(identity) = parts.identity.parse()
            && clocks.len() < MAX_CLOCKS
        {
            // newest first: the first of an identity is its last
            clocks.entry(identity).or_insert(parts.time);
        }
    }
    Ok(clocks)
}
