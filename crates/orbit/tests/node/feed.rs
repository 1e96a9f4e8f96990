//! The feed of changes.

use crate::support::{Words, close, del, folder, open, open_database, put, record, spec, verify, write};
use debros_core::{ID, Value};
use debros_orbit::{
    Change, ChangeKind, DatabaseId, DatabaseKind, DatabaseSpec, Durability, Encryption, Entry, Feed, FeedError,
    FeedPosition, Hash, Identity, Node, NodeOptions, Payload, ReadDocuments, ReadError, SigningKey, WriteError,
    XChaCha20Cipher,
};
use futures::{FutureExt as _, executor::block_on};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// What a feed tells until its end, in pieces of so many.
pub(crate) fn read(feed: &mut Feed, most: usize) -> Vec<Change> {
    let mut all = Vec::new();
    loop {
        let batch = feed.read(most, |_, _| Ok(true)).unwrap();
        assert!(batch.changes.len() <= most);
        all.extend(batch.changes);
        if !batch.more {
            return all;
        }
    }
}

pub(crate) fn changes(node: &Node, from: &FeedPosition) -> Vec<Change> {
    read(&mut node.feed(from).unwrap(), 1000)
}

pub(crate) fn all_changes(node: &Node) -> Vec<Change> {
    changes(node, &node.feed_start().unwrap())
}

/// What each key of the databases holds, as somebody knows it who only follows the feed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mirror(pub(crate) BTreeMap<(DatabaseId, String), Value>);

impl Mirror {
    pub(crate) fn apply(&mut self, feed: &Feed, change: &Change) {
        // events without keys are told apart by their entries
        let key = if change.key.is_null() { change.entry.to_string() } else { format!("{:?}", change.key) };
        let key = (change.database, key);
        let before = match &change.value {
            Some(value) => self.0.insert(key, value.clone()),
            None => self.0.remove(&key),
        };
        assert_eq!(before, feed.former(change).unwrap(), "the feed knows what was there before");
        let kind = match (&before, &change.value) {
            (None, Some(_)) => ChangeKind::Created,
            (Some(_), Some(_)) => ChangeKind::Updated,
            (Some(_), None) => ChangeKind::Deleted,
            (None, None) => panic!("a change that changes nothing"),
        };
        assert_eq!(change.kind, kind);
    }

    pub(crate) fn of(node: &Node) -> Mirror {
        let mut mirror = Mirror::default();
        let mut feed = node.feed(&node.feed_start().unwrap()).unwrap();
        for change in read(&mut feed, 7) {
            mirror.apply(&feed, &change);
        }
        mirror
    }
}

fn identity(n: u8) -> Identity {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    Identity::new(&key(n), key(100 + n))
}

fn word(change: &Change) -> Option<&str> {
    change.value.as_ref().and_then(|value| value.as_map()?.field("w").as_text())
}

fn told(changes: &[Change]) -> Vec<(ChangeKind, &str, Option<&str>)> {
    changes.iter().map(|change| (change.kind, change.key.as_text().unwrap(), word(change))).collect()
}

fn put_word(node: &Node, db: DatabaseId, by: &Identity, id: &'static str, word: &'static str) {
    put(node, db, by, record(id, [("w", word.into())])).unwrap();
}

#[test]
fn writing_tells_who_did_what_and_where_to_go_on() {
    let folder = folder();
    let node = open(folder.path());
    let (a, b) = (identity(1), identity(2));
    let start = node.feed_position().unwrap();
    assert_eq!(start, node.feed_start().unwrap(), "there is nothing yet");
    let db = open_database(&node, &spec("d", &["*"]));
    put_word(&node, db, &a, "1", "one");
    put_word(&node, db, &b, "1", "uno");
    del(&node, db, &a, "1").unwrap();
    put_word(&node, db, &a, "1", "eins");
    let all = all_changes(&node);
    use ChangeKind::{Created, Deleted, Updated};
    let expected =
        [(Created, "1", Some("one")), (Updated, "1", Some("uno")), (Deleted, "1", None), (Created, "1", Some("eins"))];
    assert_eq!(told(&all), expected);
    assert_eq!(told(&changes(&node, &start)), expected);
    for (change, (by, time)) in all.iter().zip([(&a, 1), (&b, 2), (&a, 3), (&a, 4)]) {
        let entry = node.snapshot().unwrap().block(&change.entry).unwrap().unwrap();
        let entry = Entry::decode(&entry).unwrap();
        assert_eq!((change.database, change.user.as_str(), change.identity), (db, by.id(), by.hash()));
        assert_eq!((change.clock, change.clock.time, change.is_local), (entry.clock(), time, true));
    }
    // each change says where to go on behind it
    for (n, change) in all.iter().enumerate() {
        let again: FeedPosition = change.position.to_string().parse().unwrap();
        assert_eq!(changes(&node, &again), all[n + 1..]);
    }
    assert_eq!(changes(&node, &node.feed_position().unwrap()), []);
    verify(&node);
}

#[test]
fn a_batch_is_told_piece_by_piece_in_its_order() {
    let folder = folder();
    let node = open(folder.path());
    let (db, me) = (open_database(&node, &spec("d", &["*"])), identity(1));
    let ids: Vec<String> = (0..50).map(|n| format!("{n:02}")).collect();
    let (writer, of_job) = (me.clone(), ids.clone());
    write(&node, move |w| {
        for id in of_job {
            w.put(db, &writer, record(id.as_str(), []))?;
        }
        Ok::<_, WriteError>(())
    })
    .unwrap();
    put_word(&node, db, &me, "last", "");
    for most in [1, 3, 50, 51, 1000] {
        let mut feed = node.feed(&node.feed_start().unwrap()).unwrap();
        let mut told: Vec<String> = Vec::new();
        loop {
            let batch = feed.read(most, |_, _| Ok(true)).unwrap();
            told.extend(batch.changes.iter().map(|change| change.key.as_text().unwrap().to_owned()));
            // whoever stops here goes on here
            let rest = changes(&node, &feed.position());
            assert_eq!(told.len() + rest.len(), 51);
            if !batch.more {
                break;
            }
        }
        assert_eq!((&told[..50], told[50].as_str()), (&ids[..], "last"));
    }
}

#[test]
fn large_records_are_told_few_at_a_time() {
    let folder = folder();
    let node = open(folder.path());
    let (db, me) = (open_database(&node, &spec("d", &["*"])), identity(1));
    write(&node, move |w| {
        for id in 1..=10u32 {
            w.put(db, &me, record(id, [("text", "x".repeat(400_000).into())]))?;
        }
        Ok::<_, WriteError>(())
    })
    .unwrap();
    let mut feed = node.feed(&node.feed_start().unwrap()).unwrap();
    let mut told = Vec::new();
    while !feed.is_at_end().unwrap() {
        told.push(feed.read(1000, |_, _| Ok(true)).unwrap().changes.len());
    }
    assert_eq!(told, [3, 3, 3, 1]);
}

#[test]
fn a_feed_ends_where_the_journal_ended_however_much_is_written_meanwhile() {
    let folder = folder();
    // so small that several segments are filled
    let mut options = NodeOptions::default();
    options.store.segment_size = 64 << 10;
    let node = Node::open(folder.path(), options, Arc::new(Words)).unwrap();
    let (db, me) = (open_database(&node, &spec("d", &["*"])), identity(1));
    let more = |id: u32| {
        let me = me.clone();
        let text = || "x".repeat(10_000).into();
        write(&node, move |w| w.put(db, &me, record(id, [("text", text())])).map(drop)).unwrap();
    };
    (1..=3).for_each(more);
    for before in 3..30 {
        let mut feed = node.feed(&node.feed_start().unwrap()).unwrap();
        feed.end_now().unwrap();
        more(before + 1);
        let mut told = 0;
        while !feed.is_at_end().unwrap() {
            told += feed.read(2, |_, _| Ok(true)).unwrap().changes.len();
        }
        assert_eq!(told, before as usize);
        assert_eq!(feed.read(2, |_, _| Ok(true)).unwrap().changes, []);
        // from where it ended another one goes on
        assert_eq!(changes(&node, &feed.position()).len(), 1);
    }
    // one that begins at its end has nothing
    let mut feed = node.feed(&node.feed_position().unwrap()).unwrap();
    feed.end_now().unwrap();
    more(31);
    assert!(feed.is_at_end().unwrap());
    assert_eq!(read(&mut feed, 9), []);
    close(&node);
}

#[test]
fn what_changes_nothing_is_no_change() {
    let folder = folder();
    let node = open(folder.path());
    let (a, b) = (identity(1), identity(2));
    let owner = DatabaseSpec { tag: b"owner".to_vec(), ..spec("d", &["*"]) };
    let db = open_database(&node, &owner);
    let log = owner.address().unwrap();
    let row = |by: &Identity, word: &'static str| record("1", [("w", word.into()), ("owner", by.id().into())]);
    put(&node, db, &a, row(&a, "first")).unwrap();
    put(&node, db, &a, row(&a, "second")).unwrap();
    let here = node.feed_position().unwrap();

    let entry = |by: &Identity, payload: Payload| Entry::create(by, log, payload.into_value(), &[], &[], 1).unwrap();
    let late = |word| Payload::put("1".into(), row(&a, word).into());
    let entries = [
        entry(&a, late("loses against the newer one")),
        entry(&b, Payload::put("1".into(), row(&a, "refused").into())),
        entry(&b, Payload::del("1".into())),
        entry(&a, Payload::del("absent".into())),
        entry(&a, Payload::add("means nothing here".into())),
        Entry::create(&a, log, "nothing at all".into(), &[], &[], 1).unwrap(),
    ];
    let identities = vec![a.bytes().to_vec(), b.bytes().to_vec()];
    let entries = entries.iter().map(|entry| entry.bytes().to_vec()).collect();
    let receipt = block_on(node.receive(db, "p", identities, entries)).unwrap();
    assert_eq!(receipt.joined, 6);
    assert_eq!(changes(&node, &here), []);
    let found = node.snapshot().unwrap().get(db, &crate::support::key("1")).unwrap().unwrap();
    assert_eq!(found.record.field("w").as_text(), Some("second"));
    verify(&node);
}

#[test]
fn a_later_entry_that_comes_late_is_told_when_it_joins() {
    let folder = folder();
    let node = open(folder.path());
    let (a, b) = (identity(1), identity(2));
    let spec = spec("d", &["*"]);
    let (db, log) = (open_database(&node, &spec), spec.address().unwrap());
    let entry = |by: &Identity, word: &'static str, next: &[&Entry], time| {
        let next: Vec<Hash> = next.iter().map(|entry| entry.hash()).collect();
        let payload = Payload::put("1".into(), record("1", [("w", word.into())]).into()).into_value();
        Entry::create(by, log, payload, &next, &[], time).unwrap()
    };
    let one = entry(&a, "one", &[], 1);
    let two = entry(&b, "two", &[&one], 2);
    let receive = |entry: &Entry| {
        let identities = vec![a.bytes().to_vec(), b.bytes().to_vec()];
        block_on(node.receive(db, "p", identities, vec![entry.bytes().to_vec()])).unwrap();
        block_on(node.settle());
    };
    receive(&two);
    assert_eq!(all_changes(&node), [], "it is held back");
    receive(&one);
    use ChangeKind::{Created, Updated};
    let all = all_changes(&node);
    assert_eq!(told(&all), [(Created, "1", Some("one")), (Updated, "1", Some("two"))]);
    assert_eq!((all[1].entry, all[1].user.as_str(), all[1].is_local), (two.hash(), b.id(), false));
    assert!(all[1].position != all[0].position);
    drop(node);
    // the same when state is derived anew
    std::fs::remove_file(folder.path().join("state.redb")).unwrap();
    let node = open(folder.path());
    assert_eq!(all_changes(&node), all);
    verify(&node);
}

#[test]
fn what_can_be_read_later_is_told_then() {
    let ours = || Some(Arc::new(XChaCha20Cipher::generate().unwrap()) as Arc<_>);
    for encryption in [
        Encryption { data: ours(), replication: None },
        Encryption { data: None, replication: ours() },
        Encryption { data: ours(), replication: ours() },
    ] {
        let [here, there] = [folder(), folder()];
        let (spec, me) = (spec("secrets", &["*"]), identity(1));
        let mut options = NodeOptions::default();
        options.encryptions.insert(spec.address().unwrap(), encryption.clone());
        let node = Node::open(here.path(), options, Arc::new(Words)).unwrap();
        let db = open_database(&node, &spec);
        put_word(&node, db, &me, "1", "one");
        put_word(&node, db, &me, "2", "two");
        put_word(&node, db, &me, "1", "uno");
        del(&node, db, &me, "2").unwrap();
        let written = all_changes(&node);
        let blocks: Vec<Vec<u8>> = written
            .iter()
            .map(|change| node.snapshot().unwrap().block(&change.entry).unwrap().unwrap().to_vec())
            .collect();

        let dark = open(there.path());
        let dark_db = open_database(&dark, &spec);
        let mut feed = dark.feed(&dark.feed_start().unwrap()).unwrap();
        block_on(dark.receive(dark_db, "p", vec![me.bytes().to_vec()], blocks)).unwrap();
        assert_eq!(read(&mut feed, 10), []);
        block_on(dark.set_encryption(dark_db, encryption)).unwrap();
        block_on(dark.settle());
        // payloads are read in the order of their names, so what was replaced may not be told
        let mut mirror = Mirror::default();
        for change in read(&mut feed, 1) {
            mirror.apply(&feed, &change);
            assert!(!change.is_local);
            let rest = changes(&dark, &change.position);
            assert_eq!(rest, changes(&dark, &change.position.to_string().parse().unwrap()));
        }
        let uno = Value::from(record("1", [("w", "uno".into())]));
        assert_eq!(mirror.0.values().collect::<Vec<_>>(), [&uno]);
        verify(&dark);
        close(&dark);
        drop(dark);
        // without the key again, it says what it lacks
        let dark = open(there.path());
        let mut feed = dark.feed(&dark.feed_start().unwrap()).unwrap();
        let error = feed.read(10, |_, _| Ok(true)).unwrap_err();
        assert!(matches!(&error, FeedError::Read(_)) && error.to_string().contains("key"), "{error}");
        assert!(feed.read(10, |_, _| Ok(false)).unwrap().changes.is_empty(), "others do not need it");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_after_what_comes_before_it() {
    let folder = folder();
    let (secret, me) = (spec("secrets", &["*"]), identity(1));
    let encryption = Encryption { data: Some(Arc::new(XChaCha20Cipher::generate().unwrap())), replication: None };
    let mut options = NodeOptions::default();
    options.encryptions.insert(secret.address().unwrap(), encryption.clone());
    let node = Node::open(folder.path(), options, Arc::new(Words)).unwrap();
    let [plain, sealed] = [&spec("plain", &["*"]), &secret].map(|spec| open_database(&node, spec));
    for (db, id) in [(plain, "1"), (plain, "2"), (sealed, "3"), (plain, "4")] {
        put_word(&node, db, &me, id, "word");
    }
    close(&node);
    drop(node);
    let node = open(folder.path());
    let mut feed = node.feed(&node.feed_start().unwrap()).unwrap();
    let batch = feed.read(10, |_, _| Ok(true)).unwrap();
    assert_eq!((batch.changes.len(), batch.more), (2, true));
    for _ in 0..2 {
        assert_eq!(block_on(feed.changed()).map_err(|error| error.to_string()), Ok(()));
        assert!(matches!(feed.read(10, |_, _| Ok(true)).unwrap_err(), FeedError::Read(ReadError::State(_))));
    }
    block_on(node.set_encryption(sealed, encryption)).unwrap();
    let rest = read(&mut feed, 10);
    assert_eq!(rest.iter().map(|change| change.key.as_text().unwrap()).collect::<Vec<_>>(), ["3", "4"]);
}

#[test]
fn events_are_created_and_an_earlier_one_takes_the_key() {
    let folder = folder();
    let node = open(folder.path());
    let me = identity(1);
    let keyed = DatabaseSpec { kind: DatabaseKind::Events, ..spec("keyed", &["*"]) };
    let plain = DatabaseSpec { kind: DatabaseKind::Events, tag: b"plain".to_vec(), ..spec("plain", &["*"]) };
    let (log, keyed, plain) = (keyed.address().unwrap(), open_database(&node, &keyed), open_database(&node, &plain));
    let by = me.clone();
    write(&node, move |w| {
        for word in ["one", "two"] {
            w.append(keyed, &by, Payload::add(record(word, [("w", word.into())]).into()))?;
            w.append(plain, &by, Payload::add(word.into()))?;
        }
        Ok::<_, WriteError>(())
    })
    .unwrap();
    let all = all_changes(&node);
    assert!(all.iter().all(|change| change.kind == ChangeKind::Created));
    let keys: Vec<&Value> = all.iter().map(|change| &change.key).collect();
    assert_eq!(keys, [&"one".into(), &Value::Null, &"two".into(), &Value::Null]);
    assert_eq!(all[3].value, Some("two".into()));
    // events with the key of another: one that comes before it in the log, and one that comes after it
    for (time, word) in [(1, "before"), (9, "after")] {
        let payload = Payload::add(record("two", [("w", word.into())]).into()).into_value();
        let entry = Entry::create(&me, log, payload, &[], &[], time).unwrap();
        block_on(node.receive(keyed, "p", vec![], vec![entry.into_bytes()])).unwrap();
    }
    let more = changes(&node, &all[3].position);
    assert_eq!(told(&more), [(ChangeKind::Updated, "two", Some("before"))]);
    assert_eq!(Mirror::of(&node).0.len(), 4);
}

#[test]
fn what_is_no_row_and_plain_values_are_told_as_they_are() {
    let folder = folder();
    let node = open(folder.path());
    let me = identity(1);
    let (documents, values) = (spec("d", &["*"]), spec("v", &["*"]).of_kind(DatabaseKind::KeyValue));
    let (db, values) = (open_database(&node, &documents), open_database(&node, &values));
    put_word(&node, db, &me, "1", "one");
    let bad = Payload::put("1".into(), record("1", [("bad", true.into())]).into()).into_value();
    let bad = Entry::create(&me, documents.address().unwrap(), bad, &[], &[], 5).unwrap();
    block_on(node.receive(db, "p", vec![], vec![bad.into_bytes()])).unwrap();
    put_word(&node, db, &me, "1", "good again");
    let by = me.clone();
    write(&node, move |w| w.set(values, &by, "k", 7.into())).unwrap();
    let all = all_changes(&node);
    let kinds: Vec<ChangeKind> = all.iter().map(|change| change.kind).collect();
    use ChangeKind::{Created, Updated};
    assert_eq!(kinds, [Created, Updated, Updated, Created]);
    assert_eq!(all[1].value.as_ref().and_then(|value| Some(value.as_map()?.field("bad").clone())), Some(true.into()));
    assert_eq!((&all[3].key, &all[3].value), (&"k".into(), &Some(7.into())));
    let only = |db| {
        let batch = node.feed(&node.feed_start().unwrap()).unwrap().read(10, |_, info| Ok(info.id == db)).unwrap();
        batch.changes.len()
    };
    assert_eq!((only(db), only(values), Mirror::of(&node).0.len()), (3, 1, 2));
}

#[test]
fn it_goes_on_after_a_restart_and_when_state_is_derived_anew() {
    let folder = folder();
    let mut node = open(folder.path());
    let (db, me) = (open_database(&node, &spec("d", &["*"])), identity(1));
    let mut kept = node.feed_position().unwrap().to_bytes();
    let (mut mirror, mut told) = (Mirror::default(), 0);
    for round in 0..6u32 {
        for n in 0..20u32 {
            put(&node, db, &me, record(n % 7 + 1, [("n", (round * 100 + n).into())])).unwrap();
        }
        if round % 2 == 0 {
            close(&node);
        }
        drop(node);
        if round == 3 {
            std::fs::remove_file(folder.path().join("state.redb")).unwrap();
        }
        node = open(folder.path());
        let mut feed = node.feed(&FeedPosition::from_bytes(&kept).unwrap()).unwrap();
        // not to the end, so that the next goes on in between
        for change in feed.read(15, |_, _| Ok(true)).unwrap().changes {
            mirror.apply(&feed, &change);
            told += 1;
        }
        kept = feed.position().to_bytes();
    }
    let mut feed = node.feed(&FeedPosition::from_bytes(&kept).unwrap()).unwrap();
    for change in read(&mut feed, 4) {
        mirror.apply(&feed, &change);
        told += 1;
    }
    assert_eq!((told, mirror), (120, Mirror::of(&node)));
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_position_of_another_folder_or_of_what_is_gone_says_so() {
    let [one, other, older] = [folder(), folder(), folder()];
    let me = identity(1);
    let node = open(one.path());
    let db = open_database(&node, &spec("d", &["*"]));
    put_word(&node, db, &me, "1", "one");
    close(&node);
    drop(node);
    copy(one.path(), older.path());

    let node = open(one.path());
    put_word(&node, db, &me, "1", "two");
    let position = node.feed_position().unwrap();
    let [first, second] =
        all_changes(&node).try_into().map(|all: [Change; 2]| all.map(|change| change.position)).unwrap();
    put_word(&node, db, &me, "1", "three");
    close(&node);

    let error = open(other.path()).feed(&position).unwrap_err();
    assert!(matches!(error, FeedError::OtherFolder), "{error}");

    // the older copy has not come so far; then it goes its own way
    let node = open(older.path());
    let gone = |error: FeedError| matches!(error, FeedError::Gone { .. });
    assert!(gone(node.feed(&position).unwrap_err()));
    put_word(&node, db, &me, "1", "zwo");
    assert!(gone(node.feed(&position).unwrap_err()), "as much is there, and it is something else");
    // it is in the midst of a commit behind which the copies differ
    assert!(gone(node.feed(&second).unwrap().read(10, |_, _| Ok(true)).unwrap_err()));
    put_word(&node, db, &me, "1", "drei");
    assert!(gone(node.feed(&position).unwrap().read(10, |_, _| Ok(true)).unwrap_err()));
    let words: Vec<_> = changes(&node, &first).iter().map(|change| word(change).unwrap().to_owned()).collect();
    assert_eq!(words, ["zwo", "drei"], "what both have in common is no matter");

    // bytes that nobody gave
    let node = open(one.path());
    for (position, left) in [(first, 2), (second, 1), (position, 1)] {
        let good = position.to_bytes();
        assert_eq!(changes(&node, &position).len(), left);
        for at in 9..good.len() {
            for flip in [1, 0x80] {
                let mut bytes = good.clone();
                bytes[at] ^= flip;
                let position = FeedPosition::from_bytes(&bytes).unwrap();
                let read = node.feed(&position).and_then(|mut feed| feed.read(10, |_, _| Ok(true)));
                // how much of the commit was told is what it says, and without that no commit is named
                let is_place = at < 9 + 48 || (at >= 9 + 56 && good[at] != 0);
                assert!(!is_place || gone(read.unwrap_err()), "byte {at} counts");
            }
        }
    }
}

#[test]
fn readers_wake_with_a_commit_and_end_with_the_node() {
    let folder = folder();
    let node = open(folder.path());
    let (db, me) = (open_database(&node, &spec("d", &["*"])), identity(1));
    // many, of which none is kept by the others, and one that does not read before the end
    let mut feeds: Vec<Feed> = (0..50).map(|_| node.feed(&node.feed_position().unwrap()).unwrap()).collect();
    let mut slow = feeds.pop().unwrap();
    for feed in &mut feeds {
        assert!(feed.changed().now_or_never().is_none(), "nothing was committed");
    }
    let waiting: Vec<_> = feeds
        .into_iter()
        .map(|mut feed| {
            std::thread::spawn(move || {
                let mut told = Vec::new();
                while block_on(feed.changed()).is_ok() {
                    match feed.read(3, |_, _| Ok(true)) {
                        Ok(batch) => told.extend(batch.changes.into_iter().map(|change| change.entry)),
                        Err(FeedError::Read(ReadError::Store(_))) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                told
            })
        })
        .collect();
    for n in 0..20u32 {
        let me = me.clone();
        block_on(node.write(Durability::Buffered, move |w| w.put(db, &me, record(n + 1, [])))).unwrap();
    }
    let all: Vec<Hash> = all_changes(&node).iter().map(|change| change.entry).collect();
    assert_eq!((all.len(), read(&mut slow, 2).len()), (20, 20));
    close(&node);
    for waiting in waiting {
        let told = waiting.join().unwrap();
        assert_eq!(told, all[..told.len()], "in order, and nothing is missed");
    }
    assert!(block_on(slow.changed()).is_err());
    assert!(matches!(slow.read(1, |_, _| Ok(true)).unwrap_err(), FeedError::Read(ReadError::Store(_))));
}

#[test]
fn the_key_of_a_record_is_its_id() {
    let folder = folder();
    let node = open(folder.path());
    let (db, me) = (open_database(&node, &spec("d", &["*"])), identity(1));
    put(&node, db, &me, record(42, [])).unwrap();
    let all = all_changes(&node);
    assert_eq!(all[0].key, 42.into());
    assert_eq!(all[0].value.as_ref().and_then(|value| Some(value.as_map()?.field(ID).clone())), Some(42.into()));
}
