//! Reading what is encrypted.

use super::{Core, StateError, core::database_number, tables::SEALED};
use crate::{Encryption, EncryptionError, entry::EntryParts};
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

/// The payload of an entry, decrypted if it is encrypted; `None` where it cannot be.
pub(crate) fn open_payload(core: &Core, log: &str, payload: Value) -> Option<Value> {
    if !matches!(payload, Value::Bytes(_)) {
        return Some(payload);
    }
    let encryption = core.encryption(&log.parse().ok()?);
    encryption.open_payload(&payload).ok().map(Cow::into_owned)
}

/// The field `value` of the payload of an entry that was accepted before; null if it has none.
pub(crate) fn value_of(core: &Core, parts: &EntryParts<'_>) -> Result<Value, String> {
    if Encryption::is_sealed(parts.payload) {
        let payload = Value::from_trusted_dag_cbor(parts.payload).map_err(|e| e.to_string())?;
        let payload = open_payload(core, parts.log, payload).ok_or_else(|| EncryptionError::NoDataKey.to_string())?;
        return Ok(payload.as_map().map_or(Value::Null, |fields| fields.field("value").clone()));
    }
    Ok(parts.value().map_err(|e| e.to_string())?.unwrap_or_default())
}
