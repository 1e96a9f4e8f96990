//! [`Document`]: what a key of a database holds.

use crate::DatabaseId;
use debros_core::Map;
use debros_ipfs::Position;

/// What a key of a documents database holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where the entry lies that put it.
    pub position: Position,
    /// The id of the user who put it.
    pub author: String,
    /// The id of the user who was the first to put something there.
    pub first_author: String,
    /// The record; empty if what was put is none.
    pub record: Map,
    /// Why it is no row, if it is none.
    pub problem: Option<String>,
}

/// A row that a scan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRef {
    /// The database that holds it.
    pub database: DatabaseId,
    /// Where its entry lies: [`ReadDocuments::load`](crate::ReadDocuments::load) reads it.
    pub position: Position,
    pub(crate) bytes: Vec<u8>,
    pub(crate) values: usize,
}

impl RowRef {
    /// The encoded values of the index's fields; empty in a scan of keys.
    pub fn values(&self) -> &[u8] {
        &self.bytes[..self.values]
    }

    /// The encoded key.
    pub fn key(&self) -> &[u8] {
        &self.bytes[self.values..]
    }

    /// Values and key, one after the other: what the range of an index scan is about.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Values and key.
    pub fn into_parts(mut self) -> (Vec<u8>, Vec<u8>) {
        let key = self.bytes.split_off(self.values);
        (self.bytes, key)
    }
}
