//! Taking the rows of a database away.

use super::{
    Core, DocumentRow, HeldRow, Job, LogRow, StateError,
    accept::remove_row,
    hold, room,
    tables::{
        CLOCKS, DOCUMENTS, DROPPED, HELD, INDEXES, LOGS, MEMBERS, PROBLEMS, READY, SEALED, SEALED_ENTRIES, TOMBSTONES,
        UNREAD, WAITING, key_of, past,
    },
};
use crate::{DatabaseId, DatabaseInfo};
use debros_ipfs::{Position, ReadState, Row, Table};
use std::collections::HashMap;

/// So many rows are taken away at once where all of them have to go.
const AT_ONCE: usize = 512;

/// A database that was dropped, now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// What of its log lies before this place is not in its log any more.
    pub(crate) before: Position,
    /// While its rows are being taken away: where its log ended when it was dropped before, if it was. Of that there are none.
    earlier: Option<Position>,
    pub(crate) stage: Stage,
}

/// How far that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was opened again since.
    Open,
    /// Its rows are being taken away.
    Dropping,
    /// They are gone.
    Gone,
}

impl Dropped {
    fn to_bytes(self) -> Vec<u8> {
        let stage = match self.stage {
            Stage::Open => 0,
            Stage::Dropping => 1,
            Stage::Gone => 2,
        };
        let earlier = self.earlier.map(Position::to_bytes);
        [&[stage][..], &self.before.to_bytes(), earlier.as_ref().map_or(&[], |earlier| &earlier[..])].concat()
    }

    fn from_bytes(row: &[u8]) -> Option<Dropped> {
        let (stage, places) = row.split_first()?;
        let (before, earlier) = places.split_at_checked(Position::BYTES)?;
        let stage = match stage {
            0 => Stage::Open,
            1 => Stage::Dropping,
            2 => Stage::Gone,
            _ => return None,
        };
        let earlier = if earlier.is_empty() { None } else { Some(Position::from_bytes(earlier)?) };
        Some(Dropped { before: Position::from_bytes(before)?, earlier, stage })
    }
}

/// Was this database dropped, now or before?
pub(crate) fn dropped(state: &dyn ReadState, database: DatabaseId) -> Result<Option<Dropped>, StateError> {
    let Some(row) = state.get(DROPPED, &key_of(database, &[]))? else { return Ok(None) };
    let broken = || StateError::Broken(format!("it cannot be told whether database {database} was dropped"));
    Dropped::from_bytes(&row).map(Some).ok_or_else(broken)
}

/// Is this database not here any more?
pub(crate) fn is_dropped(state: &dyn ReadState, database: DatabaseId) -> Result<bool, StateError> {
    Ok(dropped(state, database)?.is_some_and(|dropped| dropped.stage != Stage::Open))
}

/// The databases whose rows were taken away, and where the logs of before ended.
pub(crate) fn gone(state: &dyn ReadState) -> Result<HashMap<DatabaseId, Position>, StateError> {
    let before = |dropped: Dropped| match dropped.stage {
        Stage::Dropping => dropped.earlier,
        Stage::Open | Stage::Gone => Some(dropped.before),
    };
    Ok(all(state)?.filter_map(|(id, dropped)| Some((id, before(dropped)?))).collect())
}

/// The databases whose rows are being taken away.
pub(crate) fn dropping(state: &dyn ReadState) -> Result<Vec<DatabaseId>, StateError> {
    Ok(all(state)?.filter(|(_, dropped)| dropped.stage == Stage::Dropping).map(|(id, _)| id).collect())
}

fn all(state: &dyn ReadState) -> Result<impl Iterator<Item = (DatabaseId, Dropped)>, StateError> {
    let mut all = Vec::new();
    for row in state.scan(DROPPED, &[], None, false) {
        let (key, row) = row?;
        let number = key.first_chunk().map(|number| DatabaseId(u32::from_be_bytes(*number)));
        all.extend(number.zip(Dropped::from_bytes(&row)));
    }
    Ok(all.into_iter())
}

/// Begins to drop a database: from now on its log has nothing in it, and it is not among those of its family.
pub(crate) fn begin(job: &mut dyn Job, database: &DatabaseInfo, before: Position) -> Result<(), StateError> {
    let earlier = dropped(job.as_state(), database.id)?.map(|dropped| dropped.before);
    put(job, database.id, Dropped { before, earlier, stage: Stage::Dropping });
    job.delete(MEMBERS, [database.family.to_be_bytes(), database.id.0.to_be_bytes()].concat());
    job.put(LOGS, key_of(database.id, &[]), LogRow::default().to_bytes());
    Ok(())
}

/// It is here again, with an empty log. How many rows there are follows from the schema, so that a journal of another one may not have
/// taken all of them away: then the rest goes first.
pub(crate) fn reopen(job: &mut dyn Job, core: &Core, database: &DatabaseInfo) -> Result<(), StateError> {
    while dropped(job.as_state(), database.id)?.is_some_and(|dropped| dropped.stage == Stage::Dropping) {
        remove_rows(job, core, database, AT_ONCE)?;
    }
    match dropped(job.as_state(), database.id)? {
        Some(Dropped { before, stage: Stage::Gone, .. }) => {
            put(job, database.id, Dropped { before, earlier: None, stage: Stage::Open });
            job.put(MEMBERS, [database.family.to_be_bytes(), database.id.0.to_be_bytes()].concat(), Vec::new());
            Ok(())
        }
        _ => Err(StateError::Broken(format!("database {} was opened again, and had not been dropped", database.id))),
    }
}

/// Takes away so many of its rows, and what follows from them; and when none are left, that is recorded. Nothing, if they are gone: the
/// journal may be of a schema with more of them.
pub(crate) fn remove_rows(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    most: usize,
) -> Result<(), StateError> {
    remove_some(job, core, database, most)?;
    // of a part of its log there may be more rows than there were of all of it
    while room::is_thinned(job.as_state(), database.id)? {
        remove_some(job, core, database, AT_ONCE)?;
    }
    Ok(())
}

fn remove_some(job: &mut dyn Job, core: &Core, database: &DatabaseInfo, most: usize) -> Result<(), StateError> {
    let before = match dropped(job.as_state(), database.id)? {
        Some(Dropped { before, stage: Stage::Dropping, .. }) => before,
        Some(_) => {
            room::thinned_no_more(job, database.id);
            return Ok(());
        }
        None => {
            return Err(StateError::Broken(format!("rows of database {} were dropped, and it was not", database.id)));
        }
    };
    let mut left = most;
    for (key, row) in take(job, DOCUMENTS, database.id, &mut left)? {
        let broken = || StateError::Broken(format!("a row of database {} is unreadable", database.id));
        let row = DocumentRow::from_bytes(&row).ok_or_else(broken)?;
        remove_row(job, core, database, &key[4..], &row)?;
    }
    for (key, row) in take(job, HELD, database.id, &mut left)? {
        let broken = || StateError::Broken("an entry that is held back is unreadable".to_owned());
        let row = HeldRow::from_bytes(&row).ok_or_else(broken)?;
        hold::stop_waiting(job, core, database, &hold::hash_at(&key, 4)?, &row)?;
        job.delete(SEALED, row.position.to_bytes().to_vec());
        job.delete(HELD, key);
    }
    for (key, row) in take(job, SEALED_ENTRIES, database.id, &mut left)? {
        job.delete(SEALED, row[..row.len().min(Position::BYTES)].to_vec());
        job.delete(SEALED_ENTRIES, key);
    }
    for table in [TOMBSTONES, INDEXES, PROBLEMS, WAITING, READY, UNREAD, CLOCKS] {
        for (key, _) in take(job, table, database.id, &mut left)? {
            job.delete(table, key);
        }
    }
    // as many as were asked for: there may be more
    if left > 0 {
        job.delete(LOGS, key_of(database.id, &[]));
        put(job, database.id, Dropped { before, earlier: None, stage: Stage::Gone });
        room::thinned_no_more(job, database.id);
        return room::dies(job, database.id);
    }
    Ok(())
}

fn put(job: &mut dyn Job, database: DatabaseId, dropped: Dropped) {
    job.put(DROPPED, key_of(database, &[]), dropped.to_bytes());
}

/// The first rows of a database, at most so many as are left to take.
fn take(job: &dyn Job, table: Table, database: DatabaseId, left: &mut usize) -> Result<Vec<Row>, StateError> {
    let prefix = key_of(database, &[]);
    let rows = job.as_state().scan(table, &prefix, past(&prefix).as_deref(), false).take(*left);
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    *left -= rows.len();
    Ok(rows)
}
