//! Events of which only the last of each device counts, in a database that is open to everyone.

use crate::support::{folder, job_error, open, open_database, spec, verify, write};
use debros_core::Value;
use debros_orbit::{
    DatabaseId, DatabaseKind, DatabaseSpec, EventRange, Identity, JoinError, LimitError, Log, Node, Payload,
    ReadDocuments, SigningKey, WriteError,
};
use futures::executor::block_on;

fn events() -> DatabaseSpec {
    DatabaseSpec { kind: DatabaseKind::Events, tag: b"last".to_vec(), ..spec("last", &["*"]) }
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32]).unwrap()
}

/// A device of a user, both by number.
fn device(user: u8, device: u8) -> Identity {
    Identity::new(&key(user), key(100 + device))
}

fn say(node: &Node, database: DatabaseId, who: &Identity, what: &str) -> Result<(), WriteError> {
    let (who, what) = (who.clone(), Value::from(what));
    job_error(write(node, move |w| w.add(database, &who, what).map(drop)))
}

/// What each device said last, when, and when it said something first; by what they said.
fn last(node: &Node, database: DatabaseId) -> Vec<(String, u64, u64)> {
    let snapshot = node.snapshot().unwrap();
    let mut all: Vec<_> = snapshot
        .last_events(database, None)
        .map(|event| {
            let event = event.unwrap();
            (event.value.as_text().unwrap().to_owned(), event.first, event.last)
        })
        .collect();
    all.sort();
    assert_eq!(snapshot.count(database).unwrap(), all.len() as u64);
    all
}

fn said(what: &[(&str, u64, u64)]) -> Vec<(String, u64, u64)> {
    what.iter().map(|(what, first, last)| ((*what).to_owned(), *first, *last)).collect()
}

#[test]
fn the_last_word_of_each_device_counts() {
    let folder = folder();
    let node = open(folder.path());
    let db = open_database(&node, &events());
    let (laptop, phone) = (device(1, 1), device(1, 2));
    say(&node, db, &laptop, "one").unwrap();
    say(&node, db, &phone, "two").unwrap();
    say(&node, db, &laptop, "three").unwrap();
    assert_eq!(last(&node, db), said(&[("three", 1, 3), ("two", 2, 2)]));

    // who says it is who signed it
    let snapshot = node.snapshot().unwrap();
    let of = |n| snapshot.last_events(db, Some(&key(n).public_key())).map(Result::unwrap).collect::<Vec<_>>();
    let all = of(1);
    assert!(all.iter().all(|event| event.user == key(1).public_key()));
    assert!(all.iter().any(|event| event.device == key(102).public_key() && event.value == "two".into()));
    assert!(of(2).is_empty());

    // the log has them all
    let read: Vec<Value> = snapshot.events(db, &EventRange::all()).unwrap().map(|event| event.unwrap().value).collect();
    assert_eq!(read, ["three".into(), "two".into(), "one".into()]);
    verify(&node);
}

#[test]
fn rows_have_a_bound() {
    let folder = folder();
    let node = open(folder.path());
    let db = open_database(&node, &events());
    let long = say(&node, db, &device(1, 1), &"long".repeat(10)).unwrap_err();
    assert!(matches!(&long, WriteError::Record { reason, .. } if reason.contains("40 bytes")), "{long}");
    say(&node, db, &device(1, 1), "1.1").unwrap();
    say(&node, db, &device(1, 2), "1.2").unwrap();
    // of one user's devices, the one that was silent for longest gives its place
    say(&node, db, &device(1, 3), "1.3").unwrap();
    assert_eq!(last(&node, db), said(&[("1.2", 2, 2), ("1.3", 3, 3)]));
    // of users, those who were first keep theirs
    say(&node, db, &device(2, 4), "2.4").unwrap();
    let full = say(&node, db, &device(3, 5), "3.5").unwrap_err();
    assert!(matches!(&full, WriteError::Record { reason, .. } if reason.contains("no more are kept")), "{full}");
    say(&node, db, &device(1, 4), "1.4").unwrap();
    say(&node, db, &device(2, 4), "2.4 again").unwrap();
    assert_eq!(last(&node, db), said(&[("1.3", 3, 3), ("1.4", 5, 5), ("2.4 again", 4, 6)]));
    verify(&node);
}

#[test]
fn an_earlier_word_that_comes_later_changes_nothing() {
    let spec = events();
    let (user, other) = (device(1, 1), device(1, 2));
    let mut log = Log::new(spec.address().unwrap());
    let mut apart = log.clone();
    apart.append(&other, Payload::add("early".into()).into_value(), 0).unwrap();
    for what in ["one", "two", "three"] {
        log.append(&user, Payload::add(what.into()).into_value(), 0).unwrap();
    }
    let third = device(1, 3);
    log.append(&third, Payload::add("late".into()).into_value(), 0).unwrap();
    let mut hashes = Vec::new();
    for turned in [false, true] {
        let folder = folder();
        let node = open(folder.path());
        let db = open_database(&node, &spec);
        let ids = [&user, &other, &third].map(|identity| identity.bytes().to_vec()).to_vec();
        let mut batches = [&log, &apart].map(|log| log.traverse().map(|entry| entry.bytes().to_vec()).collect());
        if turned {
            batches.reverse();
        }
        for batch in batches {
            block_on(node.receive(db, "a peer", ids.clone(), batch)).unwrap();
        }
        assert_eq!(last(&node, db), said(&[("late", 4, 4), ("three", 1, 3)]));
        hashes.push(node.snapshot().unwrap().state_hash(db).unwrap());
        verify(&node);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn so_much_is_taken_from_others_and_no_more() {
    let spec = events();
    let folder = folder();
    let node = open(folder.path());
    let db = open_database(&node, &spec);
    let hostile = device(1, 1);
    let mut log = Log::new(spec.address().unwrap());
    for n in 0..20 {
        log.append(&hostile, Payload::add(format!("{n}").into()).into_value(), 0).unwrap();
    }
    let entries: Vec<_> = log.traverse().map(|entry| entry.bytes().to_vec()).collect();
    let receipt = block_on(node.receive(db, "a peer", vec![hostile.bytes().to_vec()], entries)).unwrap();
    assert_eq!((receipt.joined, receipt.not_kept.len()), (12, 8));
    let full = |error: &JoinError| matches!(error, JoinError::Limit(LimitError::Entries { max: 12, .. }));
    assert!(receipt.not_kept.iter().all(|(_, error)| full(error)));
    assert_eq!(node.snapshot().unwrap().entries(db).unwrap(), 12);

    // large ones are not taken either, however few there are
    let other = DatabaseSpec { name: "other".to_owned(), ..spec };
    let db = open_database(&node, &other);
    let mut log = Log::new(other.address().unwrap());
    log.append(&hostile, Payload::add("x".repeat(3_000).into()).into_value(), 0).unwrap();
    let large = log.traverse().map(|entry| entry.bytes().to_vec()).collect();
    let receipt = block_on(node.receive(db, "a peer", Vec::new(), large)).unwrap();
    assert!(
        matches!(receipt.not_kept[..], [(_, JoinError::Limit(LimitError::EventBytes { max: 2_000, .. }))]),
        "{receipt:?}"
    );
    // what was said here has its place all the same
    say(&node, db, &device(2, 2), "hello").unwrap();
    verify(&node);
}
