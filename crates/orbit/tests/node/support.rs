//! What the tests share: a schema, and a node in a folder of its own.

use debros_core::{Collation, Map, Value};
use debros_orbit::{
    AccessSpec, CommitError, DatabaseId, DatabaseInfo, DatabaseKind, DatabaseSpec, Durability, Identity, IndexRow,
    LastEvents, Node, NodeOptions, Schema, Verdict, WriteError, Writer,
};
use futures::executor::block_on;
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

/// Indexes by `w` (0), and by `n` and `w` (1), where a record has them. A record with `bad` is a problem. In databases
/// with the tag `owner`, a record is refused if its `owner` is not its author. Databases of families that begin with
/// `F` have family rows. Events have keys, which commit to the `owner` in the record; with the tag `last`, the last one of each device counts.
pub(crate) struct Words;

impl Schema for Words {
    fn fingerprint(&self) -> Vec<u8> {
        b"words 1".to_vec()
    }

    fn rows(&self, database: &DatabaseInfo, author: &str, record: &Map, _: Option<(&str, &Map)>) -> Verdict {
        if self.owners_only(database) && record.field("owner").as_text() != Some(author) {
            return Verdict::Refused("it is not its author's".to_owned());
        }
        if record.contains_key("bad") {
            return Verdict::Problem("it is bad".to_owned());
        }
        let row = |index, fields: &[&str]| {
            let mut values = Vec::new();
            for field in fields {
                Collation::Plain.encode(record.get(field)?, &mut values);
            }
            Some(IndexRow { index, values })
        };
        Verdict::Row([row(0, &["w"]), row(1, &["n", "w"])].into_iter().flatten().collect())
    }

    fn key(&self, _: &DatabaseInfo, key: &Value) -> Vec<u8> {
        self::key(key.clone())
    }

    fn has_family(&self, database: &DatabaseInfo) -> bool {
        database.spec.family.starts_with('F')
    }

    fn keys_are_ids(&self, _: &DatabaseInfo) -> bool {
        true
    }

    fn owners_only(&self, database: &DatabaseInfo) -> bool {
        database.spec.tag == b"owner"
    }

    fn keyed_events(&self, database: &DatabaseInfo) -> bool {
        database.spec.tag != b"plain"
    }

    fn last_events(&self, database: &DatabaseInfo) -> Option<LastEvents> {
        let kept = LastEvents { value_bytes: 40, devices: 2, rows: 3, entry_bytes: 2_000, entries: 12 };
        (database.spec.tag == b"last").then_some(kept)
    }

    fn commits(&self, _: &DatabaseInfo, author: &str, record: &Map) -> bool {
        record.field("owner").as_text() == Some(author)
    }
}

pub(crate) fn key(value: impl Into<Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Collation::Plain.encode_whole(&value.into(), &mut bytes);
    bytes
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn open(folder: &Path) -> Node {
    Node::open(folder, NodeOptions::default(), Arc::new(Words)).unwrap()
}

pub(crate) fn close(node: &Node) {
    block_on(node.close()).unwrap();
}

pub(crate) fn write<T: Send + 'static, E: Send + 'static>(
    node: &Node,
    job: impl FnOnce(&mut Writer<'_>) -> Result<T, E> + Send + 'static,
) -> Result<T, CommitError<E>> {
    // no test here cuts the power
    block_on(node.write(Durability::Buffered, job))
}

pub(crate) fn open_database(node: &Node, spec: &DatabaseSpec) -> DatabaseId {
    let spec = spec.clone();
    write(node, move |writer| writer.open(&spec)).unwrap()
}

pub(crate) fn spec(name: &str, write: &[&str]) -> DatabaseSpec {
    DatabaseSpec {
        name: name.to_owned(),
        kind: DatabaseKind::Documents,
        access: AccessSpec::Ipfs { write: write.iter().map(|&id| id.to_owned()).collect() },
        family: "Family".to_owned(),
        tag: Vec::new(),
        meta: None,
    }
}

pub(crate) fn record<const N: usize>(id: impl Into<Value>, fields: [(&'static str, Value); N]) -> Map {
    let mut record = Map::from_iter(fields);
    record.insert("_id", id);
    record
}

pub(crate) fn put(node: &Node, database: DatabaseId, identity: &Identity, record: Map) -> Result<(), WriteError> {
    let identity = identity.clone();
    job_error(write(node, move |writer| writer.put(database, &identity, record).map(drop)))
}

pub(crate) fn del(
    node: &Node,
    database: DatabaseId,
    identity: &Identity,
    key: impl Into<Value>,
) -> Result<(), WriteError> {
    let (identity, key) = (identity.clone(), key.into());
    job_error(write(node, move |writer| writer.del(database, &identity, key).map(drop)))
}

pub(crate) fn job_error<T, E: std::fmt::Debug>(result: Result<T, CommitError<E>>) -> Result<T, E> {
    match result {
        Ok(done) => Ok(done),
        Err(CommitError::Job(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

/// The folder's state derives from its segments.
pub(crate) fn verify(node: &Node) {
    let report = node.verify().unwrap();
    assert!(report.is_clean(), "{report}");
}
