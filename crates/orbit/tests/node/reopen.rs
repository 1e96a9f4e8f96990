use crate::support::{
    Words, close, del, folder, job_error, key, open, open_database, put, record, spec, verify, write,
};
use debros_core::{Map, Value};
use debros_orbit::{
    DatabaseInfo, Node, NodeOptions, OpenError, ReadDocuments, ReadError, Schema, Snapshot, StoreError, Verdict,
    WriteError,
};
use std::{fs, path::Path, sync::Arc};

/// Everything that can be read of a node.
fn everything(node: &Node) -> Vec<String> {
    let snapshot = node.snapshot().unwrap();
    let mut all = Vec::new();
    for info in snapshot.databases("Family").unwrap() {
        all.push(format!("{info:?} {:?}", snapshot.heads(info.id).unwrap()));
        all.extend(rows(&snapshot, &info));
    }
    for index in [None, Some(0), Some(1)] {
        all.extend(snapshot.scan_family("Family", index, &[], None, false).map(|row| format!("{:?}", row.unwrap())));
    }
    all.extend(snapshot.problems(None).map(|problem| format!("{problem:?}")));
    all
}

fn rows(snapshot: &Snapshot, info: &DatabaseInfo) -> Vec<String> {
    let mut all = Vec::new();
    for row in snapshot.scan_keys(info.id, &[], None, false) {
        let row = row.unwrap();
        all.push(format!("{row:?} {:?}", snapshot.get(info.id, row.key()).unwrap()));
    }
    for index in 0..2 {
        all.extend(snapshot.scan_index(info.id, index, &[], None, false).map(|row| format!("{:?}", row.unwrap())));
    }
    all
}

fn fill(folder: &Path) -> Node {
    let node = open(folder);
    let (alice, bob) = (node.identity("alice").unwrap(), node.identity("bob").unwrap());
    let hers = open_database(&node, &spec("hers", &[alice.id()]));
    let ours = open_database(&node, &spec("ours", &["*"]));
    for n in 1..30u32 {
        put(&node, hers, &alice, record(n, [("w", (n % 5).into()), ("n", n.into())])).unwrap();
        put(&node, ours, &bob, record(n % 7 + 1, [("w", n.into())])).unwrap();
    }
    for n in 1..10u32 {
        del(&node, hers, &alice, n * 2).unwrap();
    }
    put(&node, hers, &alice, record(2, [("w", "again".into())])).unwrap();
    node
}

#[test]
fn a_node_that_was_closed_has_everything() {
    let folder = folder();
    let node = fill(folder.path());
    let before = everything(&node);
    close(&node);
    assert!(matches!(node.snapshot(), Err(StoreError::Closed { .. })));
    let node = open(folder.path());
    assert_eq!(everything(&node), before);
    verify(&node);
}

#[test]
fn a_node_that_was_dropped_has_everything() {
    let folder = folder();
    let node = fill(folder.path());
    let before = everything(&node);
    drop(node);
    let node = open(folder.path());
    assert_eq!(everything(&node), before);
    verify(&node);
    // and goes on where it was
    let alice = node.identity("alice").unwrap();
    let db = node.snapshot().unwrap().database("hers").unwrap().unwrap().id;
    put(&node, db, &alice, record("new", [])).unwrap();
    assert_eq!(node.snapshot().unwrap().heads(db).unwrap().len(), 1);
    verify(&node);
}

#[test]
fn state_that_was_lost_is_rebuilt() {
    let folder = folder();
    let node = fill(folder.path());
    let before = everything(&node);
    close(&node);
    drop(node);
    fs::remove_file(folder.path().join("state.redb")).unwrap();
    let node = open(folder.path());
    assert_eq!(everything(&node), before);
    verify(&node);
}

/// As `Words`, with another index, under another fingerprint.
struct OtherWords;

impl Schema for OtherWords {
    fn fingerprint(&self) -> Vec<u8> {
        b"words 2".to_vec()
    }
    fn rows(&self, database: &DatabaseInfo, author: &str, record: &Map, previous: Option<(&str, &Map)>) -> Verdict {
        match Words.rows(database, author, record, previous) {
            Verdict::Row(mut rows) => {
                rows.retain(|row| row.index == 1);
                Verdict::Row(rows)
            }
            other => other,
        }
    }
    fn key(&self, database: &DatabaseInfo, key: &Value) -> Vec<u8> {
        Words.key(database, key)
    }
}

#[test]
fn another_schema_derives_other_state() {
    let folder = folder();
    let node = fill(folder.path());
    close(&node);
    drop(node);
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(OtherWords)).unwrap();
    let snapshot = node.snapshot().unwrap();
    let db = snapshot.database("hers").unwrap().unwrap().id;
    assert_eq!(snapshot.scan_index(db, 0, &[], None, false).count(), 0);
    assert!(snapshot.scan_index(db, 1, &[], None, false).count() > 0);
    assert_eq!(snapshot.scan_family("Family", None, &[], None, false).count(), 0);
    verify(&node);
}

#[test]
fn a_folder_belongs_to_one_node() {
    let folder = folder();
    let node = open(folder.path());
    let second = Node::open(folder.path(), NodeOptions::default(), Arc::new(Words));
    let error = second.unwrap_err();
    assert!(matches!(error, OpenError::Store(_)), "{error}");
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    // several nodes live in one process
    let other = crate::support::folder();
    let neighbour = open(other.path());
    assert_ne!(node.identity("a").unwrap().id(), neighbour.identity("a").unwrap().id());
}

#[test]
fn a_closed_node_says_so() {
    let folder = folder();
    let node = fill(folder.path());
    let snapshot = node.snapshot().unwrap();
    let db = snapshot.database("hers").unwrap().unwrap().id;
    drop(snapshot);
    let alice = node.identity("alice").unwrap();
    close(&node);
    let written = write(&node, move |w| w.put(db, &alice, record("x", [])).map(drop));
    assert!(matches!(written, Err(debros_orbit::CommitError::Closed { .. })));
    close(&node);
}

#[test]
fn a_write_that_reads_what_is_not_there_fails_alone() {
    let folder = folder();
    let node = fill(folder.path());
    let alice = node.identity("alice").unwrap();
    let nowhere = debros_orbit::DatabaseId(77);
    let failed = job_error(write(&node, move |w| w.put(nowhere, &alice, record("x", []))));
    assert!(matches!(failed, Err(WriteError::Read(ReadError::NoDatabase(_)))));
    let snapshot = node.snapshot().unwrap();
    assert_eq!(snapshot.get(nowhere, &key("x")).unwrap(), None);
    verify(&node);
}
