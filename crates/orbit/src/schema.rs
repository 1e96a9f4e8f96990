//! [`Schema`]: what the floors above know of records.

use crate::DatabaseInfo;
use debros_core::{Collation, Map, Value};

/// What the floors above know of the records of databases: their keys, their index rows, and which are none.
///
/// State is derived from the log by these functions, here and on every replay. So they must be deterministic, and
/// [`Schema::fingerprint`] must change when they do: then state is derived anew when the node is opened.
pub trait Schema: Send + Sync + 'static {
    /// Names these rules.
    fn fingerprint(&self) -> Vec<u8>;

    /// Judges a record, and gives its index rows.
    ///
    /// `author` is the id of the user who wrote it. `previous` is what the key holds now: the id of the user who first
    /// put a record there, and the record. Entries of several writers arrive in any order, so for replicas to agree, a
    /// verdict should follow from `author` and `record` alone. Asked again about a record that was a row, without
    /// `previous`, it must give the same index rows: that is how they are removed.
    fn rows(&self, database: &DatabaseInfo, author: &str, record: &Map, previous: Option<(&str, &Map)>) -> Verdict;

    /// The bytes of a key, by which rows are found and sorted. Different keys have different bytes, and no key's bytes
    /// begin another's.
    fn key(&self, database: &DatabaseInfo, key: &Value) -> Vec<u8>;

    /// Are the rows of this database also kept in the order of its family, for
    /// [`scan_family`](crate::ReadDocuments::scan_family)?
    fn has_family(&self, database: &DatabaseInfo) -> bool {
        let _ = database;
        false
    }

    /// Must the field `_id` of a record be the key under which it was put? It need not in JavaScript, where each peer says
    /// anew which field is the key. A record where it is not is a problem.
    fn keys_are_ids(&self, database: &DatabaseInfo) -> bool {
        let _ = database;
        false
    }

    /// Does a deletion remove only what the same user has put? Then all records that [`Schema::rows`] lets pass for one
    /// key must be by one user.
    fn owners_only(&self, database: &DatabaseInfo) -> bool {
        let _ = database;
        false
    }

    /// Are the values of this events database records with a key, as those of documents databases are? Then its rows are found
    /// by key and by index. Events stay as they were written: of several with one key, the first in the order of the log is the row,
    /// and the others are listed as duplicates.
    fn keyed_events(&self, database: &DatabaseInfo) -> bool {
        let _ = database;
        false
    }

    /// Is all that counts of this events database the last event of each device? Then these are its rows, whatever the values
    /// are, and [`LastEvents`] bounds them and the log: such a database is open to everyone.
    fn last_events(&self, database: &DatabaseInfo) -> Option<LastEvents> {
        let _ = database;
        None
    }

    /// Does the key of this record commit to its author? Of events with one key, one of which this is true comes before others,
    /// whatever their time: a clock is what its writer says it is, and nobody takes a key of another by an earlier one.
    fn commits(&self, database: &DatabaseInfo, author: &str, record: &Map) -> bool {
        let _ = (database, author, record);
        false
    }
}

/// How much is kept of an events database of which only the last event of each device counts.
///
/// A device that had an event before always gets its place. Where there is no room, which of the new ones have one follows from
/// what came first, so nodes may differ there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastEvents {
    /// The most bytes of a value, in its stored form; larger ones are no rows.
    pub value_bytes: usize,
    /// The most devices of one user that have a row. Beyond it, the one that was silent for longest gives its place.
    pub devices: usize,
    /// The most rows.
    pub rows: u64,
    /// The most bytes of an entry that is accepted from others.
    pub entry_bytes: usize,
    /// The most entries, in the log and held back, with which one more is accepted from others.
    pub entries: u64,
}

/// What a record is to its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A row, with these index rows.
    Row(Vec<IndexRow>),
    /// What its key holds, but no row: it does not decode. Listed as a problem.
    Problem(String),
    /// Nothing that its key holds: its writer may not put it there. The entry stays in the log, and is listed as a
    /// problem.
    Refused(String),
}

/// One row of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// The number of the index.
    pub index: u16,
    /// The encoded values of its fields: no values' bytes begin other values' of the same index.
    pub values: Vec<u8>,
}

/// No schema: every record is a row, without indexes; keys sort as values do.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSchema;

impl Schema for NoSchema {
    fn fingerprint(&self) -> Vec<u8> {
        b"no schema".to_vec()
    }

    fn rows(&self, _: &DatabaseInfo, _: &str, _: &Map, _: Option<(&str, &Map)>) -> Verdict {
        Verdict::Row(Vec::new())
    }

    fn key(&self, _: &DatabaseInfo, key: &Value) -> Vec<u8> {
        plain_key(key)
    }
}

/// The key of a value that no schema knows.
pub(crate) fn plain_key(key: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    Collation::Plain.encode_whole(key, &mut bytes);
    bytes
}
