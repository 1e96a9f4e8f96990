//! A node that takes the entries of the vectors: its state, which is read from indexes, is that of JavaScript.

use crate::{bytes, encrypted, events, filled, hashes, identity_of, load, tagged::untag, text};
use debros_core::{Collation, Value};
use debros_orbit::{
    Address, DatabaseId, DatabaseKind, Encryption, Entry, EventRange, Hash, Identity, NoSchema, Node, NodeOptions,
    Payload, ReadDocuments, Snapshot,
};
use futures::executor::block_on;
use serde_json::Value as Json;
use std::{collections::HashMap, sync::Arc};
use tempfile::TempDir;

struct Taken {
    _folder: TempDir,
    node: Node,
    db: DatabaseId,
}

/// Opens a database of the vectors by its address, and takes its entries, last ones first.
fn take(database: &Json, writers: &[&Identity], entries: &[Json], encryption: Encryption) -> Taken {
    let folder = tempfile::tempdir().unwrap();
    let address: Address = text(database, "address").parse().unwrap();
    let mut options = NodeOptions::default();
    options.encryptions.insert(address, encryption);
    let node = Node::open(folder.path(), options, Arc::new(NoSchema)).unwrap();
    let blocks = [&database["manifest"], &database["access_controller"]["block"]];
    let blocks: HashMap<Hash, Vec<u8>> =
        blocks.map(|block| bytes(block, "bytes")).map(|block| (Hash::of(&block), block)).into();
    let opened = node.write(debros_orbit::Durability::Local, move |w| {
        w.open_address(&address, "vectors", &[], |hash| blocks.get(hash).cloned())
    });
    let db = block_on(opened).unwrap();
    for (n, entry) in entries.iter().rev().enumerate() {
        // who wrote them becomes known in the midst of it
        let known = n * 2 + 1 >= entries.len();
        let identities = writers.iter().filter(|_| known).map(|writer| writer.bytes().to_vec()).collect();
        block_on(node.receive(db, "a peer", identities, vec![bytes(entry, "bytes")])).unwrap();
    }
    block_on(node.settle());
    let report = node.verify().unwrap();
    assert!(report.is_clean(), "{report}");
    let taken = Taken { _folder: folder, node, db };
    assert_eq!(taken.read().entries(db).unwrap(), entries.len() as u64);
    assert_eq!(taken.read().held(None).count(), 0);
    taken
}

impl Taken {
    fn read(&self) -> Snapshot {
        self.node.snapshot().unwrap()
    }

    fn heads(&self) -> Vec<String> {
        self.read().heads(self.db).unwrap().iter().map(Hash::to_string).collect()
    }

    fn events(&self, range: &EventRange) -> Vec<(String, Value)> {
        let snapshot = self.read();
        let events = snapshot.events(self.db, range).unwrap();
        events.map(Result::unwrap).map(|event| (event.hash.to_string(), event.value)).collect()
    }

    /// What each key holds, by the entries that put it.
    fn rows(&self) -> HashMap<String, (Value, Value)> {
        let snapshot = self.read();
        let rows = snapshot.scan_keys(self.db, &[], None, false).map(|row| {
            let row = row.unwrap();
            let (hash, payload) = snapshot.put_at(self.db, row.position).unwrap();
            assert_eq!(snapshot.load_value(row.position).unwrap(), payload.value);
            assert_eq!(snapshot.value(self.db, &payload.key).unwrap(), Some(payload.value.clone()));
            (hash.to_string(), (payload.key, payload.value))
        });
        let rows: HashMap<_, _> = rows.collect();
        assert_eq!(rows.len() as u64, snapshot.count(self.db).unwrap());
        rows
    }
}

fn expected(all: &[Json]) -> HashMap<String, (Value, Value)> {
    all.iter().map(|row| (text(row, "hash").to_owned(), (untag(&row["key"]), untag(&row["value"])))).collect()
}

#[test]
fn events_databases() {
    let json = load("events.json");
    let writer = identity_of(&json["writer"]);
    let taken = take(&json["db"], &[&writer], filled(&json, "entries"), Encryption::default());
    let end = &json["final"];
    assert_eq!(taken.heads(), hashes(&end["heads"]));
    let mut all = taken.events(&EventRange::all());
    all.reverse();
    let of = |event: &Json| (text(event, "hash").to_owned(), untag(&event["value"]));
    assert_eq!(all, filled(end, "all").iter().map(of).collect::<Vec<_>>());
    for case in filled(end, "iterators") {
        let found: Vec<String> =
            taken.events(&events::range(&case["filter"])).into_iter().map(|(hash, _)| hash).collect();
        assert_eq!(found, hashes(&case["result"]), "{}", case["filter"]);
    }
}

#[test]
fn keyvalue_databases() {
    let json = load("keyvalue.json");
    let writer = identity_of(&json["writer"]);
    let taken = take(&json["db"], &[&writer], filled(&json, "entries"), Encryption::default());
    let end = &json["final"];
    assert_eq!(taken.heads(), hashes(&end["heads"]));
    for (key, value) in end["get"].as_object().unwrap() {
        let found = taken.read().value(taken.db, &Value::from(key.as_str())).unwrap();
        assert_eq!(found, value.get("$undefined").is_none().then(|| untag(value)), "{key}");
    }
    let (rows, all) = (taken.rows(), expected(filled(end, "all")));
    // JavaScript loses a key that its objects inherit
    let lost: Vec<_> = rows.iter().filter(|(hash, _)| !all.contains_key(*hash)).map(|(_, (key, _))| key).collect();
    assert_eq!(lost, [&Value::from("constructor")]);
    assert!(all.iter().all(|(hash, row)| rows.get(hash) == Some(row)));
}

#[test]
fn documents_databases() {
    for scenario in filled(&load("documents.json"), "scenarios") {
        let writer = identity_of(&scenario["writer"]);
        let taken = take(&scenario["db"], &[&writer], filled(scenario, "entries"), Encryption::default());
        if let Some(end) = scenario.get("final") {
            assert_eq!(taken.heads(), hashes(&end["heads"]));
            assert_eq!(taken.rows(), expected(filled(end, "all")));
        } else {
            let found = |key: Value| {
                let mut bytes = Vec::new();
                Collation::Plain.encode_whole(&key, &mut bytes);
                taken.read().get(taken.db, &bytes).unwrap().is_some()
            };
            assert_eq!(Some(found(Value::from(42))), scenario["get_number_42_found"].as_bool());
            assert_eq!(Some(found(Value::from("42"))), scenario["get_string_42_found"].as_bool());
        }
    }
}

#[test]
fn several_writers() {
    let users = load("identity.json")["users"].clone();
    for scenario in filled(&load("dag.json"), "scenarios") {
        let label = text(scenario, "label");
        let writers: Vec<Identity> =
            scenario["replicas"].as_object().unwrap().keys().map(|name| identity_of(&users[name])).collect();
        for (name, end) in scenario["final"].as_object().unwrap() {
            // not every replica ends with all entries
            let theirs = hashes(&end["traversal_newest_first"]);
            let entries: Vec<Json> = filled(scenario, "entries")
                .iter()
                .filter(|entry| theirs.contains(&text(entry, "hash").to_owned()))
                .cloned()
                .collect();
            let writers: Vec<&Identity> = writers.iter().collect();
            let taken = take(&scenario["db"], &writers, &entries, Encryption::default());
            assert_eq!(taken.heads(), hashes(&end["heads"]), "{label}, {name}");
            let found: Vec<String> = taken.events(&EventRange::all()).into_iter().map(|(hash, _)| hash).collect();
            assert_eq!(found, theirs, "{label}, {name}");
        }
    }
}

#[test]
fn encrypted_databases() {
    let json = load("encrypted.json");
    let writer = identity_of(&json["writer"]);
    for scenario in filled(&json, "scenarios") {
        let label = format!("{}, {}", text(scenario, "mode"), text(scenario, "type"));
        let keys = encrypted::keys(scenario, |password| Some(password.to_owned()));
        let blocks = filled(scenario, "blocks");
        let taken = take(&scenario["db"], &[&writer], blocks, keys.clone());
        let payloads = blocks.iter().map(|block| Payload::from_value(encrypted::payload_of(block)).unwrap());
        let kind: DatabaseKind = text(scenario, "type").parse().unwrap();
        if kind == DatabaseKind::Events {
            let mut values: Vec<Value> = taken.events(&EventRange::all()).into_iter().map(|(_, value)| value).collect();
            values.reverse();
            assert_eq!(values, payloads.map(|payload| payload.value).collect::<Vec<_>>(), "{label}");
        } else {
            let mut rows: Vec<_> = taken.rows().into_iter().collect();
            let time = |hash: &String| {
                let block = taken.read().block(&hash.parse().unwrap()).unwrap().unwrap();
                Entry::open(&block, &keys).unwrap().clock().time
            };
            rows.sort_by_key(|(hash, _)| time(hash));
            let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
            assert_eq!(rows, payloads.map(|payload| (payload.key, payload.value)).collect::<Vec<_>>(), "{label}");
        }
    }
}
