//! Reading what is encrypted.

use super::{
    Core, FieldReader, Fields, Job, StateError,
    core::database_number,
    tables::{SEALED, SEALED_ENTRIES, entry_key},
};
use crate::{DatabaseId, DatabaseInfo, Encryption, EncryptionError, Hash, entry::EntryParts};
use debros_core::Value;
use debros_ipfs::{Bytes, Position, ReadState};
use std::borrow::Cow;

/// The entry in a block that was stored as one.
pub(crate) fn open_entry(
    core: &Core,
    state: &dyn ReadState,
    position: Position,
    block: Bytes,
) -> Result<Bytes, StateError> {
    if !Encryption::is_sealed(&block) {
        return Ok(block);
    }
    let database = state.get(SEALED, &position.to_bytes())?;
    let database = database.map(|row| database_number(&row)).transpose()?;
    let Some(info) = database.map(|id| core.info(state, id)).transpose()?.flatten() else {
        return Err(StateError::Broken(format!("the database of the encrypted entry at {position} is not known")));
    };
    let encryption = core.encryption(&info.address);
    match encryption.open_block(&block) {
        Ok(Cow::Borrowed(_)) => Ok(block),
        Ok(Cow::Owned(entry)) => Ok(entry.into()),
        Err(source) => Err(StateError::Sealed { database: info.spec.name.clone(), source }),
    }
}

/// An entry of a log that is encrypted as a whole.
pub(crate) struct SealedEntry {
    pub(crate) position: Position,
    pub(crate) time: u64,
}

/// The entry of this name, if it is in the log and encrypted as a whole. That it is can be told without the key, and whatever
/// other databases have under that name.
pub(crate) fn sealed_entry(
    state: &dyn ReadState,
    database: DatabaseId,
    entry: &Hash,
) -> Result<Option<SealedEntry>, StateError> {
    let Some(row) = state.get(SEALED_ENTRIES, &entry_key(database, entry))? else { return Ok(None) };
    let mut row = FieldReader::new(&row);
    let mut read = || Some(SealedEntry { position: row.position()?, time: row.number()? });
    read().map(Some).ok_or_else(|| StateError::Broken("a row of `sealed_entries` is unreadable".to_owned()))
}

/// Remembers an entry that joins a log, if it is encrypted as a whole. The hash of its content.
pub(crate) fn remember_sealed(
    job: &mut dyn Job,
    core: &Core,
    database: &DatabaseInfo,
    entry: &Hash,
    sealed: &SealedEntry,
) -> Result<Option<Hash>, StateError> {
    let block = job.block_at(sealed.position)?;
    if !Encryption::is_sealed(&block) {
        return Ok(None);
    }
    let unopened = |source| StateError::Sealed { database: database.spec.name.clone(), source };
    let content = Hash::of(&core.encryption(&database.address).open_block(&block).map_err(unopened)?);
    job.put(SEALED, sealed.position.to_bytes().to_vec(), database.id.0.to_be_bytes().to_vec());
    for hash in [entry, &content] {
        let row = Fields::with_capacity(20).position(sealed.position).number(sealed.time).finish();
        job.put(SEALED_ENTRIES, entry_key(database.id, hash), row);
    }
    Ok(Some(content))
}

/// The payload of an entry, decrypted if it is encrypted; `None` where it cannot be.
pub(crate) fn open_payload(core: &Core, log: &str, payload: Value) -> Option<Value> {
    if !matches!(payload, Value::Bytes(_)) {
        return Some(payload);
    }
    let encryption = core.encryption(&log.parse().ok()?);
    encryption.open_payload(&payload).ok().map(Cow::into_owned)
}

/// The field `value` of the payload of an entry that was accepted before; null if it has none.
pub(crate) fn value_of(core: &Core, parts: &EntryParts<'_>) -> Result<Value, StateError> {
    let unreadable = |e: debros_core::DagCborError| StateError::Broken(format!("an entry is unreadable: {e}"));
    if Encryption::is_sealed(parts.payload) {
        let payload = Value::from_trusted_dag_cbor(parts.payload).map_err(unreadable)?;
        let sealed = || StateError::Sealed { database: parts.log.to_owned(), source: EncryptionError::NoDataKey };
        let payload = open_payload(core, parts.log, payload).ok_or_else(sealed)?;
        return Ok(payload.as_map().map_or(Value::Null, |fields| fields.field("value").clone()));
    }
    Ok(parts.value().map_err(unreadable)?.unwrap_or_default())
}
