//! Folders that no `Writer` makes: whoever can write the files can put anything into them, with all hashes right.

use super::*;
use crate::{
    AccessSpec, Address, DatabaseId, DatabaseKind, DatabaseSpec, Durability, Entry, Hash, Identity, MAX_JUMP, Payload,
    SigningKey, StoreOptions,
    effect::{Did, Effect},
    journal_op::JournalOp,
};
use debros_ipfs::{Apply, ApplyError, CommitError, Group, Store};
use futures::executor::block_on;
use std::sync::Arc;

const EFFECT: Effect = Effect { did: Did::Put(None), local: true };

struct Anything;

impl Apply for Anything {
    fn fingerprint(&self) -> Vec<u8> {
        Vec::new()
    }
    fn apply(&self, _: &[u8], _: &mut Group<'_>) -> Result<(), ApplyError> {
        Ok(())
    }
}

fn identity(n: u8) -> Identity {
    let key = |n| SigningKey::from_bytes(&[n; 32]).expect("a key");
    Identity::new(&key(n), key(100 + n))
}

fn spec(write: &[&Identity]) -> DatabaseSpec {
    DatabaseSpec {
        name: "db".to_owned(),
        kind: DatabaseKind::Documents,
        access: AccessSpec::Ipfs { write: write.iter().map(|identity| identity.id().to_owned()).collect() },
        family: "F".to_owned(),
        tag: Vec::new(),
        meta: None,
    }
}

fn entry(by: &Identity, log: Address, next: &[&Entry], time: u64) -> Entry {
    let next: Vec<Hash> = next.iter().map(|entry| entry.hash()).collect();
    Entry::create(by, log, Payload::add("x".into()).into_value(), &next, &[], time).expect("an entry")
}

/// What is put into a folder: blocks, and operations that may name the block before them.
enum Put {
    Block(Vec<u8>),
    Op(Vec<u8>),
    Entry(u32, Vec<u8>),
    Identity(Vec<u8>),
    Opened(u32, Box<DatabaseSpec>),
}

/// The database with everything that belongs to it.
fn opened(id: u32, spec: &DatabaseSpec) -> Vec<Put> {
    let manifest = spec.manifest().expect("a manifest").to_bytes().expect("its bytes");
    vec![Put::Block(spec.access.block()), Put::Block(manifest), Put::Opened(id, Box::new(spec.clone()))]
}

fn inspect(puts: impl IntoIterator<Item = Put>) -> Result<Inspection, InspectionError> {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), StoreOptions::default(), Arc::new(Anything)).expect("it opens");
    let puts: Vec<Put> = puts.into_iter().collect();
    let written: Result<(), CommitError<ApplyError>> = block_on(store.commit(Durability::Local, move |group| {
        for put in puts {
            let mut add = |bytes: Vec<u8>| group.add_block(Hash::of(&bytes).cid(), bytes);
            let op = match put {
                Put::Block(bytes) => {
                    add(bytes);
                    continue;
                }
                Put::Op(op) => op,
                Put::Entry(database, bytes) => {
                    JournalOp::EntryAccepted { database: DatabaseId(database), block: add(bytes), effect: EFFECT }
                        .to_bytes()
                }
                Put::Identity(bytes) => JournalOp::IdentityAdded { block: add(bytes) }.to_bytes(),
                Put::Opened(id, spec) => {
                    let manifest = spec.address().expect("an address").manifest();
                    JournalOp::DatabaseOpened { id: DatabaseId(id), manifest, spec: *spec }.to_bytes()
                }
            };
            group.journal(op)?;
        }
        Ok(())
    }));
    written.expect("it is written");
    block_on(store.close()).expect("it closes");
    drop(store);
    Inspection::checked(folder.path())
}

/// The faults of a good database with these entries in addition.
fn faults(more: impl IntoIterator<Item = Put>) -> Vec<String> {
    let (a, b) = (identity(1), identity(2));
    let spec = spec(&[&a]);
    let mut puts = opened(0, &spec);
    puts.push(Put::Identity(a.bytes().to_vec()));
    puts.push(Put::Identity(b.bytes().to_vec()));
    puts.push(Put::Entry(0, first().into_bytes()));
    puts.extend(more);
    let inspection = inspect(puts).expect("it is read");
    assert_eq!(inspection.damaged, 0);
    assert_eq!(inspection.faulty as usize, inspection.faults.len());
    inspection.faults.iter().map(ToString::to_string).collect()
}

fn log() -> Address {
    spec(&[&identity(1)]).address().expect("an address")
}

fn first() -> Entry {
    entry(&identity(1), log(), &[], 1)
}

fn one(faults: &[String], reason: &str) {
    assert!(faults.len() == 1 && faults[0].contains(reason), "`{reason}` is not what is told: {faults:#?}");
}

#[test]
fn what_is_right_is_told_to_be() {
    let (a, first) = (identity(1), first());
    let second = entry(&a, log(), &[&first], 2);
    let beside = entry(&a, log(), &[&first], 2 + MAX_JUMP - 1);
    let third = entry(&a, log(), &[&second, &beside], MAX_JUMP + 5);
    let more = [second, beside, third].map(|entry| Put::Entry(0, entry.into_bytes()));
    assert_eq!(faults(more), Vec::<String>::new());
}

#[test]
fn entries_that_do_not_belong_there_are_told() {
    let (a, b, stranger) = (identity(1), identity(2), identity(3));
    let put = |entry: Entry| [Put::Entry(0, entry.into_bytes())];
    one(&faults(put(entry(&b, log(), &[], 1))), "may not write the database `db`");
    one(&faults(put(entry(&stranger, log(), &[], 1))), "is not known here");
    one(&faults(put(entry(&a, Address::of(Hash::of(b"other")), &[], 1))), "belongs to /orbitdb/");
    let lost = entry(&a, log(), &[&first()], 2);
    one(&faults(put(entry(&a, log(), &[&lost], 3))), &format!("follows entry {}, which is not here", lost.hash()));
    one(&faults(put(entry(&a, log(), &[&first()], 1))), "the time of the entry is 1");
    one(&faults(put(entry(&a, log(), &[&first()], 2 + MAX_JUMP))), "ahead of the entries that it follows");
    one(&faults(put(first())), "is in the log twice");
    one(&faults([Put::Entry(9, entry(&a, log(), &[], 1).into_bytes())]), "database 9, which was never opened");
    one(&faults([Put::Entry(0, b"\xa0".to_vec())]), "this block is no entry");
    let refers = |hash| Entry::create(&a, log(), Payload::add("x".into()).into_value(), &[first().hash()], &[hash], 2);
    assert!(faults(put(refers(first().hash()).expect("an entry"))).is_empty());
    one(&faults(put(refers(Hash::of(b"gone")).expect("an entry"))), "which is not here");
}

#[test]
fn forged_signatures_and_identities_are_told() {
    let a = identity(1);
    let good = entry(&a, log(), &[&first()], 2);
    let mut forged = good.bytes().to_vec();
    // the payload is `x`, and was not signed so
    let at = forged.windows(7).position(|window| window == b"payload").expect("it has a payload");
    let x = at + forged[at..].iter().position(|byte| *byte == b'x').expect("its value");
    forged[x] = b'y';
    one(&faults([Put::Entry(0, forged)]), "forged or damaged");
    let mut block = identity(4).block().clone();
    block.key_signature = identity(5).block().key_signature.clone();
    one(&faults([Put::Identity(block.to_bytes())]), "is forged");
    one(&faults([Put::Identity(b"\xa0".to_vec())]), "is no identity");
    one(&faults([Put::Identity(a.bytes().to_vec())]), "a second time");
    // known only behind the entry
    let late = identity(6);
    let other = spec(&[&late]);
    let log = other.address().expect("an address");
    let mut more = opened(1, &other);
    more.push(Put::Entry(1, entry(&late, log, &[], 1).into_bytes()));
    more.push(Put::Identity(late.bytes().to_vec()));
    one(&faults(more), "is not known here");
}

#[test]
fn databases_that_are_not_what_they_say_are_told() {
    let a = identity(1);
    let good = DatabaseSpec { name: "two".to_owned(), ..spec(&[&a]) };
    assert_eq!(faults(opened(1, &good)), Vec::<String>::new());
    one(&faults([Put::Opened(1, Box::new(good.clone()))]), "its manifest, the block");
    let mut twice = opened(1, &good);
    twice.push(Put::Opened(2, Box::new(good.clone())));
    one(&faults(twice), "opened twice");
    let controlled = AccessSpec::Orbitdb { name: "access".to_owned(), admins: vec![a.id().to_owned()] };
    let controlled = DatabaseSpec { access: controlled, ..good.clone() };
    one(&faults(opened(1, &controlled)), "who may write it");
    let (list, manifest) = (good.access.block(), good.manifest().expect("one").to_bytes().expect("bytes"));
    let op = |manifest| JournalOp::DatabaseOpened { id: DatabaseId(1), manifest, spec: good.clone() }.to_bytes();
    let other = Hash::of(b"\xf6");
    let wrong = [Put::Block(list), Put::Block(b"\xf6".to_vec()), Put::Block(manifest), Put::Op(op(other))];
    one(&faults(wrong), "but its name, type and access give");
}

#[test]
fn operations_that_make_no_sense_are_told_and_newer_ones_end_it() {
    one(&faults([Put::Op(b"nonsense".to_vec())]), "damaged");
    let op = |op: JournalOp| [Put::Op(op.to_bytes())];
    one(&faults(op(JournalOp::EntryAccepted { database: DatabaseId(0), block: 77, effect: EFFECT })), "names block 77");
    one(&faults(op(JournalOp::IdentityAdded { block: 77 })), "names block 77");
    // [23], a kind that is not there yet
    let error = inspect([Put::Op(vec![0x81, 23])]).expect_err("newer");
    assert!(
        matches!(error, InspectionError::Newer { kind: 23, .. }) && error.to_string().contains("kind 23"),
        "{error}"
    );
}

#[test]
fn long_lists_of_faults_are_counted_and_cut() {
    let puts = (0..300).map(|_| Put::Op(b"nonsense".to_vec()));
    let inspection = inspect(puts).expect("it is read");
    assert_eq!((inspection.faulty, inspection.faults.len()), (300, Inspection::MAX_LISTED));
}
