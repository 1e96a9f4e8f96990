//! [`Frontier`]: what a log held when somebody's right was revoked.

use crate::{
    DatabaseId, DatabaseInfo, Hash,
    entry::EntryParts,
    heads::joined,
    state::{Core, HELD, HeldRow, StateError, hash_at, held, key_of, known, links_at, open_entry, past},
};
use debros_ipfs::ReadState;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// Which of the entries that are held back were in the log when their user's right was revoked: those that can be reached
/// from the heads of then. What can be reached from an entry never changes, so this can be found out beside the writer.
#[derive(Debug)]
pub(crate) struct Frontier {
    pub(crate) database: DatabaseId,
    pub(crate) user: String,
    pub(crate) heads: Vec<Hash>,
    /// The entries that were looked for.
    pub(crate) looked_for: HashSet<Hash>,
    pub(crate) reached: HashSet<Hash>,
}

impl Frontier {
    /// Looks at the users of a database whose entries wait for this.
    pub(crate) fn all(
        core: &Core,
        state: &dyn ReadState,
        database: &Arc<DatabaseInfo>,
    ) -> Result<Vec<Frontier>, StateError> {
        let prefix = key_of(database.id, &[]);
        // of each user whose right was revoked, the entries that are held back, and the oldest of their times
        let mut of_users: BTreeMap<String, (HashSet<Hash>, u64)> = BTreeMap::new();
        for row in state.scan(HELD, &prefix, past(&prefix).as_deref(), false) {
            let (key, row) = row?;
            let row = HeldRow::from_bytes(&row)
                .ok_or_else(|| StateError::Broken("an entry that is held back is unreadable".to_owned()))?;
            let Some(held) = row.held.filter(|held| held.hold.is_about_rights()) else { continue };
            let Some(user) = held.hold.user() else { continue };
            let block = open_entry(core, state, row.position, state.block_at(row.position)?);
            let Ok(time) = block.map_err(drop).and_then(|block| Ok(EntryParts::parse(&block).map_err(drop)?.time))
            else {
                continue;
            };
            let (wanted, oldest) = of_users.entry(user.to_owned()).or_insert((HashSet::new(), u64::MAX));
            wanted.insert(hash_at(&key, 4)?);
            *oldest = time.min(*oldest);
        }
        let mut all = Vec::new();
        for (user, (wanted, oldest)) in of_users {
            let Some(heads) = core.frontier(state, database, &user)? else { continue };
            if let Some(reached) = reach(core, state, database, &heads, &wanted, oldest)? {
                all.push(Frontier { database: database.id, user, heads, looked_for: wanted, reached });
            }
        }
        Ok(all)
    }
}

/// Those of `wanted` that can be reached from `heads`, none of them older than `oldest`; `None` while something is not
/// here.
fn reach(
    core: &Core,
    state: &dyn ReadState,
    database: &DatabaseInfo,
    heads: &[Hash],
    wanted: &HashSet<Hash>,
    oldest: u64,
) -> Result<Option<HashSet<Hash>>, StateError> {
    let log = core.log(state, database.id)?;
    let (mut reached, mut seen): (HashSet<Hash>, HashSet<Hash>) = Default::default();
    let mut list = Vec::new();
    for head in heads {
        if known(core, state, &log, database, head)?.is_none() {
            return Ok(None);
        }
        list.push(*head);
    }
    while let Some(hash) = list.pop() {
        if !seen.insert(hash) {
            continue;
        }
        if wanted.contains(&hash) {
            reached.insert(hash);
        }
        if let Some(row) = held(state, database.id, &hash)? {
            // its clock says nothing that could be trusted
            list.extend(links_at(state, core, row.position)?.next);
        } else if let Some(links) = joined(core, state, database, &hash)?
            && links.clock.time > oldest
        {
            // times grow along a log, so nothing older has to be looked at
            list.extend(links.next);
        }
    }
    Ok(Some(reached))
}
