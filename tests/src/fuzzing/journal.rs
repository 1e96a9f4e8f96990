//! The journal: its records, and what the log says in them.

use debros_core::Map;
use debros_ipfs::{
    FolderItem, FolderReader,
    fuzzing::{journal_record, write_record},
};
use debros_orbit::{
    AccessSpec, DatabaseSpec, Durability, Entry, Identity, NoSchema, Node, NodeOptions, Payload, ReadDocuments as _,
    SigningKey, WriteError, fuzzing::journal_op,
};
use futures::executor::block_on;
use std::sync::Arc;

const MARK: [u8; 16] = [7; 16];

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let mut corpus = ops();
    let records = (0..8).map(|count| write_record(MARK, count, corpus.iter().take(count as usize).cloned().collect()));
    corpus.extend(records.collect::<Vec<_>>());
    corpus
}

/// Operations of every kind.
fn ops() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).expect("it opens");
    let key = |n| SigningKey::from_bytes(&[n; 32]).expect("a key");
    let [admin, writer, stranger] = [1, 2, 3].map(|n| Identity::new(&key(n), key(100 + n)));
    let spec = DatabaseSpec::documents("d", [""; 0]).with_access(AccessSpec::orbitdb("rights", [admin.id()]));
    let opened = spec.clone();
    let database = block_on(node.write(Durability::Buffered, move |w| w.open(&opened))).expect("it opens");
    let access = node.snapshot().map(|s| s.info(database).expect("it is open")).expect("a snapshot").controller;
    let entry = |by: &Identity, next: &[&Entry], time| {
        let next: Vec<_> = next.iter().map(|entry| entry.hash()).collect();
        let payload = Payload::put("a".into(), Map::from_iter([("_id", "a")]).into()).into_value();
        Entry::create(by, spec.address().expect("an address"), payload, &next, &[], time).expect("an entry")
    };
    let one = entry(&writer, &[], 1);
    let two = entry(&admin, &[&one], 2);
    let junk = entry(&stranger, &[&two], 3);
    let identities = [&admin, &writer, &stranger].map(|identity| identity.bytes().to_vec());
    let unknown = entry(&Identity::new(&key(4), key(104)), &[], 1);
    for entry in [&two, &junk, &one, &unknown] {
        let taken = node.receive(database, "a peer", identities.to_vec(), vec![entry.bytes().to_vec()]);
        block_on(taken).expect("it is taken");
    }
    let user = writer.id().to_owned();
    let access = access.expect("a controller");
    block_on(node.write(Durability::Buffered, move |w| {
        w.put(database, &admin, Map::from_iter([("_id", "b")]))?;
        w.grant(access, &admin, "write", &user)?;
        w.revoke(access, &admin, "write", &user)?;
        Ok::<_, WriteError>(())
    }))
    .expect("it is written");
    let forgotten = unknown.hash();
    block_on(node.write(Durability::Buffered, move |w| w.forget(database, forgotten))).expect("it is forgotten");
    block_on(node.judge_again(database)).expect("it is judged");
    block_on(node.settle());
    block_on(node.drop_database(database)).expect("it is dropped");
    let again = spec.clone();
    block_on(node.write(Durability::Buffered, move |w| w.open(&again))).expect("it opens again");
    block_on(node.close()).expect("it closes");
    let reader = FolderReader::open(folder.path()).expect("it is a data folder");
    let mut ops: Vec<Vec<u8>> = Vec::new();
    for item in reader.items() {
        let FolderItem::Group(group) = item else { panic!("{item:?}") };
        ops.extend(group.ops().iter().cloned());
    }
    // those about a Kubo daemon, as they are written
    let (place, shipment) =
        ("5830".to_owned() + &"07".repeat(48), format!("8704184d02095820{}011903e8", "11".repeat(32)));
    let shipped = [
        format!("86046431324433{place}0981{shipment}8101"),
        format!("840564313244338103{place}"),
        format!("84066431324433{place}81{shipment}"),
    ];
    ops.extend(shipped.iter().map(|op| hex::decode(op).expect("hexadecimal")));
    ops
}

/// A record that is read is the same to the last byte when it is written again; an operation says the same again.
pub(super) fn check(bytes: &[u8]) {
    if let Some(again) = journal_record(MARK, bytes) {
        assert_eq!(again, bytes);
    }
    if let Some(written) = journal_op(bytes) {
        assert_eq!(journal_op(&written).as_ref(), Some(&written));
    }
}
