//! What is to be fetched.

use crate::{
    DatabaseId, ReadError, Wanted,
    state::{ANY, Core, REVOKED, WAITING, hash_at, held, key_of, past},
};
use debros_ipfs::ReadState;
use std::time::{SystemTime, UNIX_EPOCH};

/// The identities that entries wait for, at most half of `most`.
pub(crate) fn identities(
    core: &Core,
    state: &dyn ReadState,
    database: Option<DatabaseId>,
    most: usize,
) -> Result<Vec<Wanted>, ReadError> {
    // those of entries that were not kept, unless they have come meanwhile
    let mut wanted = Vec::new();
    for missed in core.missed_identities().into_iter().rev().take(most.div_ceil(4)) {
        if core.author_of(state, &missed)?.is_none() {
            wanted.push(Wanted::Identity(missed));
        }
    }
    let prefix = key_of(ANY, &[]);
    for row in state.scan(WAITING, &prefix, past(&prefix).as_deref(), false) {
        let (key, _) = row?;
        let next = Wanted::Identity(hash_at(&key, 4)?);
        if database.is_none_or(|database| number_at(&key, 36) == Some(database)) && wanted.last() != Some(&next) {
            wanted.push(next);
        }
        if wanted.len() >= most.div_ceil(2) {
            break;
        }
    }
    Ok(wanted)
}

/// The entries that others wait for: of each database a share, and from anywhere among them, so that none of them hides the
/// others for ever.
pub(crate) fn entries(
    state: &dyn ReadState,
    database: Option<DatabaseId>,
    most: usize,
    wanted: &mut Vec<Wanted>,
) -> Result<(), ReadError> {
    if let Some(database) = database {
        return share(state, database, most, wanted);
    }
    // the databases of which something waits, one lookup each
    let mut databases = Vec::new();
    let mut from = Vec::new();
    let end = key_of(ANY, &[]);
    while let Some((key, _)) = state.scan(WAITING, &from, Some(&end), false).next().transpose()? {
        let Some(number) = number_at(&key, 0) else { break };
        databases.push(number);
        from = past(&key_of(number, &[])).unwrap_or_else(|| end.clone());
    }
    let each = most.div_ceil(databases.len().max(1));
    let begin = turn() as usize % databases.len().max(1);
    databases.rotate_left(begin);
    for database in databases {
        let room = most.saturating_sub(wanted.len());
        if room == 0 {
            break;
        }
        share(state, database, wanted.len() + each.min(room), wanted)?;
    }
    Ok(())
}

/// Up to `until` in all.
fn share(state: &dyn ReadState, database: DatabaseId, until: usize, wanted: &mut Vec<Wanted>) -> Result<(), ReadError> {
    let all = key_of(database, &[]);
    let end = past(&all);
    let middle = key_of(database, &turn().to_be_bytes());
    for (from, to) in [(&middle, end.as_deref()), (&all, Some(&middle[..]))] {
        for row in state.scan(WAITING, from, to, false) {
            if wanted.len() >= until {
                return Ok(());
            }
            let (key, _) = row?;
            let next = Wanted::Entry(database, hash_at(&key, 4)?);
            if wanted.last() == Some(&next) {
                continue;
            }
            let waiter = hash_at(&key, 40)?;
            let waits = waiter == REVOKED || held(state, database, &waiter)?.is_some_and(|row| row.needs_ancestors());
            // what waits itself is here
            if waits && held(state, database, &next.hash())?.is_none_or(|row| row.held.is_none()) {
                wanted.push(next);
            }
        }
    }
    Ok(())
}

/// A number that is another one each time.
fn turn() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    // spread over all that a hash may begin with
    u64::from(since).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn number_at(key: &[u8], at: usize) -> Option<DatabaseId> {
    key.get(at..).and_then(|rest| rest.first_chunk()).map(|number| DatabaseId(u32::from_be_bytes(*number)))
}
