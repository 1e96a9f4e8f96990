//! [`Documents`]: the state of a log of records by key, in memory.

use crate::{Hash, Log, Op, Payload};
use debros_core::Value;

/// The rows of a documents or keyvalue log: for each key what its newest entry put, newest first. Keys keep their type:
/// 42 is not "42".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The entry that put it.
    pub hash: Hash,
    /// Its key.
    pub key: Value,
    /// Its value.
    pub value: Value,
}

/// Why a record cannot be put into a documents database, or a key not be deleted from it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// JavaScript refuses a record without a key, and the keys that it takes for none: "", 0, false and null.
    #[error("the record has no key: its field `{0}` is missing, null, empty, 0 or false")]
    NoKey(String),
    /// There is nothing to delete.
    #[error("there is no record with the key {0:?}")]
    NotFound(Box<Value>),
}

impl Documents {
    /// The rows of a log: it is walked newest first, and per key the first PUT or DEL counts. Other payloads mean
    /// nothing.
    pub fn of(log: &Log) -> Documents {
        let mut seen = std::collections::HashSet::new();
        let mut rows = Vec::new();
        for hash in log.walk(log.heads()) {
            let Some(Payload { op, key, value }) = log.payload(&hash) else { continue };
            // the payload was read from canonical bytes, so its key has such bytes
            if op == Op::Add || !key.to_dag_cbor().is_ok_and(|bytes| seen.insert(bytes)) {
                continue;
            }
            if op == Op::Put {
                rows.push(Row { hash, key, value });
            }
        }
        Documents { rows }
    }

    /// The row of a key.
    pub fn get(&self, key: &Value) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == *key)
    }

    /// The rows, newest first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What to write to put a record: its key is its field `index_by`, `_id` by default in JavaScript.
    ///
    /// # Errors
    /// If it has no key.
    pub fn put(record: Value, index_by: &str) -> Result<Payload, DocumentError> {
        let key = record.as_map().map_or(&Value::Null, |fields| fields.field(index_by));
        if is_no_key(key) {
            return Err(DocumentError::NoKey(index_by.to_owned()));
        }
        Ok(Payload::put(key.clone(), record))
    }

    /// What to write to delete a key.
    ///
    /// # Errors
    /// If there is no such row.
    pub fn del(&self, key: Value) -> Result<Payload, DocumentError> {
        if self.get(&key).is_some() { Ok(Payload::del(key)) } else { Err(DocumentError::NotFound(Box::new(key))) }
    }
}

/// Does JavaScript take this key for none?
pub(crate) fn is_no_key(key: &Value) -> bool {
    match key {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Text(text) => text.is_empty(),
        _ => false,
    }
}
