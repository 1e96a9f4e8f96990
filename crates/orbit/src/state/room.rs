//! How much of each segment belongs to databases, and how much of it to those that are gone.

use super::{
    Job, StateError,
    tables::{DEAD, ROOM, THINNED, key_of, past},
};
use crate::DatabaseId;
use debros_ipfs::{Position, ReadState};

/// What of a segment belongs to databases that were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dead {
    /// Bytes of their entries, those that were taken out included.
    pub(crate) bytes: u64,
    /// How many of these were dead when the segment was rewritten last.
    pub(crate) taken: u64,
}

impl Dead {
    /// Bytes that are to be taken out.
    pub(crate) fn left(self) -> u64 {
        self.bytes.saturating_sub(self.taken)
    }

    fn to_bytes(self) -> Vec<u8> {
        [self.bytes.to_be_bytes(), self.taken.to_be_bytes()].concat()
    }

    fn from_bytes(row: &[u8]) -> Option<Dead> {
        let (bytes, taken) = row.split_first_chunk::<8>()?;
        Some(Dead { bytes: u64::from_be_bytes(*bytes), taken: taken.try_into().map(u64::from_be_bytes).ok()? })
    }
}

/// An entry of a database takes room.
pub(crate) fn takes(job: &mut dyn Job, database: DatabaseId, position: Position) -> Result<(), StateError> {
    let key = key_of(database, &position.segment.to_be_bytes());
    let before = job.get(ROOM, &key)?;
    let before = before.map_or(Ok(0), |row| row.try_into().map(u64::from_be_bytes)).map_err(|_| broken())?;
    job.put(ROOM, key, (before + u64::from(position.len)).to_be_bytes().to_vec());
    Ok(())
}

/// All entries of a database are dead.
pub(crate) fn dies(job: &mut dyn Job, database: DatabaseId) -> Result<(), StateError> {
    let prefix = key_of(database, &[]);
    let rows: Vec<_> = job.as_state().scan(ROOM, &prefix, past(&prefix).as_deref(), false).collect::<Result<_, _>>()?;
    for (key, row) in rows {
        let segment = key.get(4..).and_then(|segment| segment.try_into().ok()).ok_or_else(broken)?;
        let bytes = row.try_into().map(u64::from_be_bytes).map_err(|_| broken())?;
        let mut dead = dead_in(job.as_state(), segment)?;
        dead.bytes += bytes;
        job.put(DEAD, segment.to_vec(), dead.to_bytes());
        job.delete(ROOM, key);
    }
    Ok(())
}

/// So many bytes were dead in a segment when it was rewritten.
pub(crate) fn taken(job: &mut dyn Job, segment: u32, bytes: u64) -> Result<(), StateError> {
    let dead = Dead { taken: bytes, ..dead_in(job.as_state(), segment.to_be_bytes())? };
    job.put(DEAD, segment.to_be_bytes().to_vec(), dead.to_bytes());
    Ok(())
}

fn dead_in(state: &dyn ReadState, segment: [u8; 4]) -> Result<Dead, StateError> {
    let Some(row) = state.get(DEAD, &segment)? else { return Ok(Dead::default()) };
    Dead::from_bytes(&row).ok_or_else(broken)
}

/// The segments in which something is dead that was not taken out.
pub(crate) fn dead(state: &dyn ReadState) -> Result<Vec<(u32, Dead)>, StateError> {
    let mut all = Vec::new();
    for row in state.scan(DEAD, &[], None, false) {
        let (key, row) = row?;
        let segment = key.try_into().map(u32::from_be_bytes).map_err(|_| broken())?;
        let dead = Dead::from_bytes(&row).ok_or_else(broken)?;
        if dead.left() > 0 {
            all.push((segment, dead));
        }
    }
    Ok(all)
}

/// On replay an entry of this database was taken out of the segments: it was dropped later. Nothing of its log counts until then.
pub(crate) fn thin(job: &mut dyn Job, database: DatabaseId) {
    job.put(THINNED, key_of(database, &[]), Vec::new());
}

/// Whether that is so.
pub(crate) fn is_thinned(state: &dyn ReadState, database: DatabaseId) -> Result<bool, StateError> {
    Ok(state.get(THINNED, &key_of(database, &[]))?.is_some())
}

/// It was dropped.
pub(crate) fn thinned_no_more(job: &mut dyn Job, database: DatabaseId) {
    job.delete(THINNED, key_of(database, &[]));
}

fn broken() -> StateError {
    StateError::Broken("how much room a database takes is unreadable".to_owned())
}
