//! Whose a row is.

use crate::{
    Db, keys, source,
    stores::{Key, Rows},
};
use debros_core::{EncodeError, Map, ModelDef, UserId, Value, commits};
use debros_orbit::{ReadDocuments as _, ReadError, StoreError};
use debros_query::{SourceError, encode_key};

/// Why it could not be told whose a row is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The row is not held here.
    #[error("`{model}` has no record with the key {key} here: it was deleted, or never there")]
    NotFound {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
    },
    /// Several users have such a row.
    #[error("{users} users have a `{model}` with the key {key} and these values, so nothing tells whose this is")]
    Ambiguous {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
        /// How many.
        users: usize,
    },
    /// The row's values have no stored form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The databases could not be read.
    #[error(transparent)]
    Read(#[from] SourceError),
}

impl From<ReadError> for OwnerError {
    fn from(error: ReadError) -> OwnerError {
        OwnerError::Read(source::error(error))
    }
}
impl From<StoreError> for OwnerError {
    fn from(error: StoreError) -> OwnerError {
        ReadError::Store(error).into()
    }
}

/// The user whose row this is: `key` and `record` are what the caller's copy says.
pub(crate) fn of(db: &Db, model: &'static ModelDef, key: &Value, record: &Map) -> Result<UserId, OwnerError> {
    let snapshot = db.snapshot()?;
    let rows = Rows { stores: db.stores(), state: &snapshot, opening: None };
    let not_found = || OwnerError::NotFound { model: model.name, key: keys::text(key) };
    if !model.is_user_scoped() {
        let stored = rows.get(model, None, &Key::of(model, key), None)?.ok_or_else(not_found)?;
        return stored.document.first_author.parse().map_err(|_| not_found());
    }
    let mut alike = Vec::new();
    let bytes = encode_key(model, key);
    for (database, position) in rows.holders(model, &bytes)? {
        let Some(owner) = rows.owner(database)? else { continue };
        let stored = snapshot.load(position)?;
        if commits(&stored, &owner) {
            return Ok(owner);
        }
        alike.push((owner, stored));
    }
    if alike.len() > 1 {
        // the struct says nothing of its store, so what is left to compare are its values
        alike.retain(|(_, stored)| record.iter().all(|(name, value)| stored.field(name) == value));
    }
    match alike[..] {
        [] => Err(not_found()),
        [(owner, _)] => Ok(owner),
        _ => Err(OwnerError::Ambiguous { model: model.name, key: keys::text(key), users: alike.len() }),
    }
}
