//! [`Frontier`]: what a log held when somebody's right was revoked.

use crate::{
    DatabaseId, DatabaseInfo, Hash,
    heads::entry,
    state::{Core, HELD, HeldRow, StateError, hash_at, key_of, known, past},
};
use debros_ipfs::ReadState;
use std::{
    collections::{BTreeSet, HashSet},
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
    pub(crate) looked_for: Arc<HashSet<Hash>>,
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
        let mut users = BTreeSet::new();
        let mut wanted: HashSet<Hash> = HashSet::new();
        let mut oldest = u64::MAX;
        for row in state.scan(HELD, &prefix, past(&prefix).as_deref(), false) {
            let (key, row) = row?;
            let row = HeldRow::from_bytes(&row)
                .ok_or_else(|| StateError::Broken("an entry that is held back is unreadable".to_owned()))?;
            let user = row.held.as_ref().and_then(|held| held.hold.user());
            let Some(user) = user.filter(|_| row.held.as_ref().is_some_and(|held| held.hold.is_about_rights())) else {
                continue;
            };
            users.insert(user.to_owned());
            let hash = hash_at(&key, 4)?;
            if let Some((_, links)) = entry(core, state, &hash)? {
                oldest = oldest.min(links.clock.time);
                wanted.insert(hash);
            }
        }
        let wanted = Arc::new(wanted);
        let mut all = Vec::new();
        for user in users {
            let Some(heads) = core.frontier(state, database, &user)? else { continue };
            if let Some(reached) = reach(core, state, database, &heads, &wanted, oldest)? {
                all.push(Frontier { database: database.id, user, heads, looked_for: wanted.clone(), reached });
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
        // times grow along a log, so nothing older has to be looked at
        if let Some((_, links)) = entry(core, state, &hash)?
            && links.clock.time > oldest
        {
            list.extend(links.next);
        }
    }
    Ok(Some(reached))
}
