//! Databases that are dropped, and opened again.

use crate::support::{close, del, folder, key, open, open_database, put, record, spec, verify, write};
use debros_core::{Map, Value};
use debros_orbit::{
    AccessSpec, CommitError, DatabaseId, DatabaseInfo, DatabaseKind, DatabaseSpec, DropDatabaseError, Entry,
    EventRange, Identity, Inspection, Node, NodeOptions, Payload, ReadDocuments, Schema, Verdict, WriteError,
};
use futures::executor::block_on;
use std::{path::Path, sync::Arc};

fn fill(node: &Node, database: DatabaseId, who: &Identity, rows: u32) {
    for n in 1..=rows {
        put(node, database, who, record(n, [("w", format!("w{}", n % 3).into())])).unwrap();
    }
    put(node, database, who, record(1, [("w", "changed".into())])).unwrap();
    del(node, database, who, 2).unwrap();
}

/// The entries of a database, those that others follow first.
fn entries(node: &Node, database: DatabaseId) -> Vec<Vec<u8>> {
    let snapshot = node.snapshot().unwrap();
    let mut list = snapshot.heads(database).unwrap();
    let mut all = Vec::new();
    while let Some(hash) = list.pop() {
        let block = snapshot.block(&hash).unwrap().unwrap().to_vec();
        list.extend(debros_orbit::Entry::decode(&block).unwrap().next());
        all.push(block);
    }
    all.reverse();
    all
}

fn nothing_of(node: &Node, database: DatabaseId, spec: &DatabaseSpec) {
    let snapshot = node.snapshot().unwrap();
    assert_eq!((snapshot.count(database).unwrap(), snapshot.entries(database).unwrap()), (0, 0));
    assert!(snapshot.heads(database).unwrap().is_empty());
    assert!(snapshot.get(database, &key(1)).unwrap().is_none());
    assert_eq!(snapshot.scan_keys(database, &[], None, false).count(), 0);
    assert_eq!(snapshot.scan_index(database, 0, &[], None, false).count(), 0);
    let of_family = snapshot.scan_family(&spec.family, Some(0), &[], None, false);
    assert_eq!(of_family.filter(|row| row.as_ref().unwrap().database == database).count(), 0);
    assert_eq!(snapshot.problems(Some(database)).count() + snapshot.held(Some(database)).count(), 0);
}

fn in_order(folder: &Path) {
    let inspection = Inspection::checked(folder).unwrap();
    assert!(inspection.is_clean(), "{inspection:?}");
}

#[test]
fn nothing_of_it_is_left_and_others_are_as_they_were() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let [one, two] = ["one", "two"].map(|name| spec(name, &["*"]));
    let (dropped, kept) = (open_database(&node, &one), open_database(&node, &two));
    fill(&node, dropped, &me, 600);
    fill(&node, kept, &me, 5);
    let hash = node.snapshot().unwrap().state_hash(kept).unwrap();
    block_on(node.drop_database(dropped)).unwrap();
    nothing_of(&node, dropped, &one);
    {
        let snapshot = node.snapshot().unwrap();
        assert!(snapshot.find(&one).unwrap().is_none() && snapshot.database("one").unwrap().is_none());
        let family: Vec<_> = snapshot.databases("Family").unwrap().iter().map(|info| info.id).collect();
        assert_eq!(family, [kept]);
        assert_eq!(snapshot.scan_family("Family", None, &[], None, false).count(), 4);
        assert_eq!(snapshot.state_hash(kept).unwrap(), hash);
    }
    let error = put(&node, dropped, &me, record(1, [])).unwrap_err();
    assert!(matches!(&error, WriteError::Dropped { database } if database == "one"), "{error}");
    let error = block_on(node.receive(dropped, "a peer", Vec::new(), entries(&node, kept))).unwrap_err();
    assert!(error.to_string().contains("was dropped"), "{error}");
    block_on(node.drop_database(dropped)).unwrap();
    verify(&node);

    // and it may be anew
    assert_eq!(open_database(&node, &one), dropped);
    nothing_of(&node, dropped, &one);
    put(&node, dropped, &me, record(7, [("w", "new".into())])).unwrap();
    let rows = |node: &Node| {
        let snapshot = node.snapshot().unwrap();
        let rows = snapshot.scan_index(dropped, 0, &[], None, false);
        rows.map(|row| row.unwrap().key().to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&node), [key(7)]);
    assert_eq!(node.snapshot().unwrap().databases("Family").unwrap().len(), 2);
    verify(&node);
    close(&node);
    drop(node);
    in_order(folder.path());
    let node = open(folder.path());
    assert_eq!(rows(&node), [key(7)]);
    assert_eq!(node.snapshot().unwrap().entries(dropped).unwrap(), 1);
}

#[test]
fn what_others_have_of_it_comes_again() {
    let folders = [folder(), folder()];
    let (here, there) = (open(folders[0].path()), open(folders[1].path()));
    let spec = spec("shared", &["*"]);
    let (mine, theirs) = (open_database(&here, &spec), open_database(&there, &spec));
    let who = there.identity("somebody").unwrap();
    fill(&there, theirs, &who, 20);
    let all = entries(&there, theirs);
    let take =
        |entries: Vec<Vec<u8>>| block_on(here.receive(mine, "a peer", vec![who.bytes().to_vec()], entries)).unwrap();
    assert_eq!(take(all.clone()).joined, 22);
    // one that waits for others, and one whose identity is not known
    let another = there.identity("another").unwrap();
    put(&there, theirs, &another, record(99, [])).unwrap();
    put(&there, theirs, &another, record(98, [])).unwrap();
    let late = entries(&there, theirs).pop().unwrap();
    assert_eq!(take(vec![late.clone()]).held.len(), 1);
    assert_eq!(take(all.clone()).known, 22);
    for _ in 0..2 {
        block_on(here.drop_database(mine)).unwrap();
        nothing_of(&here, mine, &spec);
        open_database(&here, &spec);
        // in two parts, of which the later comes first
        let (first, last) = all.split_at(10);
        assert_eq!(take(last.to_vec()).joined, 0);
        let joined = take(first.to_vec()).joined;
        block_on(here.settle());
        assert_eq!((joined, here.snapshot().unwrap().entries(mine).unwrap()), (10, 22));
        assert_eq!(take(all.clone()).known, 22);
        verify(&here);
    }
    let there_then = entries(&there, theirs);
    block_on(here.receive(mine, "a peer", vec![another.bytes().to_vec()], there_then)).unwrap();
    block_on(here.settle());
    let hash = |node: &Node, id| node.snapshot().unwrap().state_hash(id).unwrap();
    assert_eq!(hash(&here, mine), hash(&there, theirs));
    verify(&here);
    close(&here);
    drop(here);
    in_order(folders[0].path());
}

#[test]
fn events_are_dropped_too() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let plain = DatabaseSpec { kind: DatabaseKind::Events, tag: b"plain".to_vec(), ..spec("plain", &["*"]) };
    let keyed = DatabaseSpec { kind: DatabaseKind::Events, ..spec("keyed", &["*"]) };
    for spec in [&plain, &keyed] {
        let database = open_database(&node, spec);
        for n in 0..5u32 {
            let me = me.clone();
            let event = Payload::add(record(n % 4 + 1, [("w", "w".into())]).into());
            write(&node, move |w| w.append(database, &me, event)).unwrap();
        }
        block_on(node.drop_database(database)).unwrap();
        nothing_of(&node, database, spec);
        assert_eq!(open_database(&node, spec), database);
        let snapshot = node.snapshot().unwrap();
        assert_eq!(snapshot.events(database, &EventRange::all()).unwrap().count(), 0);
    }
    verify(&node);
}

#[test]
fn what_says_who_may_write_others_stays() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let protected = spec("protected", &[]).with_access(AccessSpec::orbitdb("access", [me.id()]));
    let database = open_database(&node, &protected);
    let access = node.snapshot().unwrap().info(database).unwrap().controller.unwrap();
    let error = block_on(node.drop_database(access)).unwrap_err();
    assert!(matches!(error, CommitError::Job(DropDatabaseError::Protects(_))), "{error}");
    block_on(node.drop_database(database)).unwrap();
    block_on(node.drop_database(access)).unwrap();
    // what it needs has to be there first
    let reopened = open_database(&node, &protected);
    put(&node, reopened, &me, record(1, [])).unwrap();
    assert_eq!(node.snapshot().unwrap().count(database).unwrap(), 1);
    verify(&node);
    let none = block_on(node.drop_database(DatabaseId(99))).unwrap_err();
    assert!(matches!(none, CommitError::Job(DropDatabaseError::Read(_))), "{none}");
}

/// A model to which records are rows, or are none, so that each of them takes two rows of state.
struct Strict(bool);

impl Schema for Strict {
    fn fingerprint(&self) -> Vec<u8> {
        format!("strict: {}", self.0).into_bytes()
    }
    fn key(&self, _: &DatabaseInfo, key: &Value) -> Vec<u8> {
        self::key(key.clone())
    }
    fn rows(&self, _: &DatabaseInfo, _: &str, _: &Map, _: Option<(&str, &Map)>) -> Verdict {
        if self.0 { Verdict::Problem("it is none".to_owned()) } else { Verdict::Row(Vec::new()) }
    }
}

#[test]
fn a_changed_model_reads_the_journal_of_a_drop() {
    for strict in [true, false] {
        for is_opened_again in [true, false] {
            let folder = folder();
            let open = |strict| Node::open(folder.path(), NodeOptions::default(), Arc::new(Strict(strict))).unwrap();
            let node = open(strict);
            let me = node.identity("me").unwrap();
            let spec = spec("one", &["*"]);
            let database = open_database(&node, &spec);
            if !strict {
                for n in 1..=600 {
                    put(&node, database, &me, record(n, [])).unwrap();
                }
            } else {
                // what is no row of this model others may have written
                let (log, who) = (spec.address().unwrap(), me.bytes().to_vec());
                let mut entries: Vec<Entry> = Vec::new();
                for n in 1..=600u32 {
                    let value = Payload::put(u64::from(n).into(), record(n, []).into()).into_value();
                    let next: Vec<_> = entries.last().map(Entry::hash).into_iter().collect();
                    entries.push(Entry::create(&me, log, value, &next, &[], n.into()).unwrap());
                }
                let entries = entries.into_iter().map(Entry::into_bytes).collect();
                let receipt = block_on(node.receive(database, "a peer", vec![who], entries)).unwrap();
                assert_eq!(receipt.joined, 600);
                assert_eq!(node.snapshot().unwrap().problems(Some(database)).count(), 600);
            }
            block_on(node.drop_database(database)).unwrap();
            if is_opened_again {
                assert_eq!(open_database(&node, &spec), database);
            }
            close(&node);
            drop(node);
            let node = open(!strict);
            assert_eq!(open_database(&node, &spec), database);
            nothing_of(&node, database, &spec);
            verify(&node);
        }
    }
}
