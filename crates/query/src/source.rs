//! [`Source`]: one consistent snapshot of the databases of this node, as queries read them.

use crate::DatabaseId;
use debros_core::{Map, ModelDef, UserId, Value};
use std::error::Error;

/// Whose databases of a user-scoped model are read. A global model has one set, whatever is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Those of the user whom the handle speaks for; none, if it speaks for nobody.
    Own,
    /// Those of all users, as far as they are held here.
    Everywhere,
}

/// A half-open range of key bytes: `start <= key < end`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The first bytes within.
    pub start: Vec<u8>,
    /// The first bytes beyond; `None`: no end.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Everything.
    pub const ALL: KeyRange = KeyRange { start: Vec::new(), end: None };

    /// Every key that begins with these bytes.
    pub fn prefix(prefix: Vec<u8>) -> KeyRange {
        let end = successor(&prefix);
        KeyRange { start: prefix, end }
    }

    /// Is this key within?
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && self.end.as_deref().is_none_or(|end| key < end)
    }

    /// Is nothing within?
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

/// The first bytes that sort after everything that begins with `prefix`; `None` if nothing does.
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

/// The bytes under which a record of this key (`_id`) is kept: they sort as keys do, and are never cut.
pub fn encode_key(model: &ModelDef, key: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    model.key_collation().encode_whole(key, &mut bytes);
    bytes
}

/// Where a row is, and under which bytes it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRef {
    /// The database that holds it.
    pub database: DatabaseId,
    /// The encoded values of the index's fields, one after the other; empty in a scan by key.
    pub values: Vec<u8>,
    /// The encoded key, whole. No two rows of a database share it.
    pub key: Vec<u8>,
    /// Where the source finds the record; opaque to everyone else.
    pub position: [u64; 2],
}

/// Rows, one by one, read as they are asked for.
pub type RowRefs<'a> = Box<dyn Iterator<Item = Result<RowRef, SourceError>> + 'a>;

/// One consistent snapshot of the databases of this node, on behalf of one user or none.
///
/// The key of a record is its `_id`, as [`encode_key`] encodes it. An index row is the values of the index's fields in
/// [`IndexDef`](debros_core::IndexDef) order, each as [`Collation::encode`](debros_core::Collation::encode) encodes it,
/// which cuts long ones, followed by the key. Only rows that decode into their model ([`ModelDef::check`]) are given.
pub trait Source {
    /// The databases of a model that exist here, in a fixed order.
    ///
    /// # Errors
    /// If they cannot be read.
    fn databases(&self, model: &'static ModelDef, reach: Reach) -> Result<Vec<DatabaseId>, SourceError>;

    /// Those of them that can hold rows whose shard key is `value`; `None` if the model is not sharded.
    ///
    /// # Errors
    /// If they cannot be read.
    fn shard_of(
        &self,
        model: &'static ModelDef,
        reach: Reach,
        value: &Value,
    ) -> Result<Option<Vec<DatabaseId>>, SourceError>;

    /// The record of this key.
    ///
    /// # Errors
    /// If it cannot be read.
    fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Map>, SourceError>;

    /// The row that a reference to `key` means: one whose id commits to the owner of its store, or one in the store of
    /// `from`, the user in whose store the reference stands (`None`: a global one, or the asking user's own words,
    /// which mean a row of their own store, too). A row of a global model is meant by any reference. Of a user-scoped
    /// model, [`Reach::Own`] looks in the store of the handle's user alone.
    ///
    /// # Errors
    /// If it cannot be read.
    fn locate(
        &self,
        model: &'static ModelDef,
        key: &[u8],
        reach: Reach,
        from: Option<&UserId>,
    ) -> Result<Option<(DatabaseId, Map)>, SourceError>;

    /// The rows of a database whose key is within `range`, by key.
    fn scan_keys(&self, database: DatabaseId, range: &KeyRange, reverse: bool) -> RowRefs<'_>;

    /// The rows of a database whose index row is within `range`, in the order of the index: by the values of its
    /// fields, then by key. `index` is a position in [`ModelDef::indexes`].
    fn scan_index(
        &self,
        database: DatabaseId,
        model: &'static ModelDef,
        index: usize,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_>;

    /// The rows of every database of a user-scoped model, in one scan: by the values of the index's fields and then in
    /// any order; without an index by key, then by database. `range` is one of index values, or of keys, alone.
    fn scan_everywhere(
        &self,
        model: &'static ModelDef,
        index: Option<usize>,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_>;

    /// The record of a row.
    ///
    /// # Errors
    /// If it cannot be read.
    fn load(&self, row: &RowRef) -> Result<Map, SourceError>;

    /// The user whose database this is; `None` for one of a global model.
    ///
    /// # Errors
    /// If it cannot be read.
    fn owner(&self, database: DatabaseId) -> Result<Option<UserId>, SourceError>;

    /// Is this user one of the application's admins?
    ///
    /// # Errors
    /// If that cannot be read.
    fn is_admin(&self, user: &UserId) -> Result<bool, SourceError>;

    /// How many databases of the model are known, should be read, and are not held here completely.
    ///
    /// # Errors
    /// If that cannot be read.
    fn missing(&self, model: &'static ModelDef, reach: Reach) -> Result<usize, SourceError> {
        let _ = (model, reach);
        Ok(0)
    }

    /// Exactly how many rows a database has, if that is known without counting them.
    ///
    /// # Errors
    /// If it cannot be read.
    fn count(&self, database: DatabaseId) -> Result<Option<u64>, SourceError> {
        let _ = database;
        Ok(None)
    }

    /// About how many rows there are. A guess is enough: the planner compares it with what an index would give.
    fn size_hint(&self, model: &'static ModelDef, reach: Reach) -> Option<u64> {
        let _ = (model, reach);
        None
    }
}

/// Why the databases could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The node was closed.
    #[error("the database was closed; open it again to read it")]
    Closed,
    /// The local store failed.
    #[error("the local store could not be read: {0}")]
    Read(#[source] Box<dyn Error + Send + Sync>),
}

impl SourceError {
    /// A failure of the local store.
    pub fn read(error: impl Into<Box<dyn Error + Send + Sync>>) -> SourceError {
        SourceError::Read(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_what_begins_with_it() {
        let range = KeyRange::prefix(vec![1, 0xff]);
        assert_eq!(range.end, Some(vec![2]));
        assert!(range.contains(&[1, 0xff]) && range.contains(&[1, 0xff, 0xff]) && !range.contains(&[2]));
        assert_eq!(KeyRange::prefix(vec![0xff]).end, None);
        assert!(!KeyRange::ALL.is_empty() && KeyRange { start: vec![2], end: Some(vec![2]) }.is_empty());
    }
}
