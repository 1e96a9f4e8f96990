//! Reading the events of a database out of its state.

use crate::{
    DatabaseInfo, Entry, Event, EventRange, Hash, Op, Payload, ReadError, UnknownBound,
    event_range::EventStart,
    heads,
    state::{Core, DOCUMENTS, DocumentRow, StateError, hash_at, key_of, known, load_value, open_payload, past},
};
use debros_ipfs::ReadState;

/// Events, one by one, read as they are asked for. After an error there are no more.
pub type EventsRead<'s> = Box<dyn Iterator<Item = Result<Event, ReadError>> + 's>;

/// The events of a range, newest first. From the heads on they are rows that lie in the order of the log; from an entry
/// in the midst of it, where only what it builds on counts, as in JavaScript, the log is followed from there.
pub(crate) fn events<'s>(
    core: &'s Core,
    state: &'s dyn ReadState,
    info: &DatabaseInfo,
    range: &EventRange,
) -> Result<EventsRead<'s>, ReadError> {
    let log = core.log(state, info.id)?;
    for bound in range.bounds() {
        // one that is held back is not in the log
        if !matches!(known(core, state, &log, info, &bound)?, Some(crate::state::Known::Joined { .. })) {
            return Err(ReadError::UnknownBound(UnknownBound(bound)));
        }
    }
    let has_all = !core.schema.keyed_events(info) && core.schema.last_events(info).is_none();
    if range.start() == EventStart::Heads && has_all {
        return rows(core, state, info, range);
    }
    let roots = match range.start() {
        EventStart::Heads => log.heads.iter().map(|head| head.hash).collect(),
        EventStart::With(entry) => vec![entry],
        EventStart::Behind(entry) => {
            heads::joined(core, state, info, &entry)?.map(|links| links.next).unwrap_or_default()
        }
    };
    let database = info.clone();
    let walk = heads::behind(core, state, info, &roots)?.map(move |hash| {
        let hash = hash?;
        Ok::<_, ReadError>((hash, event(core, state, &database, hash)?))
    });
    Ok(Box::new(range.select(walk)))
}

/// The event of an entry; `None` if it adds none.
fn event(core: &Core, state: &dyn ReadState, database: &DatabaseInfo, hash: Hash) -> Result<Option<Event>, StateError> {
    let missing = || StateError::Broken(format!("entry {hash} of a log is missing"));
    let (_, block) = heads::block(core, state, database, &hash)?.ok_or_else(missing)?;
    let unreadable = |e: crate::EntryError| StateError::Broken(format!("entry {hash} is unreadable: {e}"));
    let payload = Entry::decode(&block).map_err(unreadable)?.payload().clone();
    let payload = open_payload(core, &database.log, payload).and_then(Payload::from_value);
    Ok(payload.filter(|payload| payload.op == Op::Add).map(|payload| Event { hash, value: payload.value }))
}

/// The events of a range that begins with the heads.
fn rows<'s>(
    core: &'s Core,
    state: &'s dyn ReadState,
    info: &DatabaseInfo,
    range: &EventRange,
) -> Result<EventsRead<'s>, ReadError> {
    let all = key_of(info.id, &[]);
    let end = past(&all);
    let older = match range.older() {
        None => None,
        Some((bound, included)) => match event_row(core, state, info, bound)? {
            Some(mut key) => {
                if !included {
                    key.push(0);
                }
                Some(key)
            }
            // in the log, and no event: what is newer than it counts
            None => Some(bound_key(core, state, info, bound)?),
        },
    };
    let read = move |row: Result<debros_ipfs::Row, debros_ipfs::StoreError>| {
        let (key, row) = row?;
        let row = DocumentRow::from_bytes(&row)
            .ok_or_else(|| StateError::Broken("the row of an event is unreadable".to_owned()))?;
        let hash = hash_at(&key, key.len().saturating_sub(32))?;
        Ok(Event { hash, value: load_value(core, state, row.position)? })
    };
    match (older, range.most()) {
        (Some(older), Some(most)) if most > 0 => {
            let nearest = state.scan(DOCUMENTS, &older, end.as_deref(), false).take(most);
            let mut nearest = nearest.map(read).collect::<Result<Vec<_>, ReadError>>()?;
            nearest.reverse();
            Ok(Box::new(nearest.into_iter().map(Ok)))
        }
        (older, most) => {
            let start = older.unwrap_or(all);
            let rows = state.scan(DOCUMENTS, &start, end.as_deref(), true).take(most.unwrap_or(usize::MAX));
            Ok(Box::new(rows.map(read)))
        }
    }
}

/// The key of the row of an event, if there is one.
fn event_row(
    core: &Core,
    state: &dyn ReadState,
    database: &DatabaseInfo,
    entry: Hash,
) -> Result<Option<Vec<u8>>, StateError> {
    let key = bound_key(core, state, database, entry)?;
    Ok(state.get(DOCUMENTS, &key)?.map(|_| key))
}

/// Where an entry lies in the order of the log.
fn bound_key(core: &Core, state: &dyn ReadState, database: &DatabaseInfo, entry: Hash) -> Result<Vec<u8>, StateError> {
    let missing = || StateError::Broken(format!("entry {entry} of a log is missing"));
    let links = heads::joined(core, state, database, &entry)?.ok_or_else(missing)?;
    Ok(key_of(database.id, &crate::state::event_key(links.clock.time, &links.clock.id, &entry)))
}
