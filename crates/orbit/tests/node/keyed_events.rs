//! Events whose records have keys: the first one with a key is the row, whatever came here first.

use crate::{
    convergence::{WRITERS, order, writers},
    support::{folder, job_error, key, open, open_database, record, spec, verify, write},
};
use debros_core::{Map, Value};
use debros_orbit::{
    DatabaseKind, DatabaseSpec, Entry, Hash, Identity, JoinError, Log, Payload, ProblemKind, ReadDocuments, WriteError,
};
use proptest::prelude::*;
use std::{cmp::Reverse, collections::HashMap};

fn events(tag: &[u8]) -> DatabaseSpec {
    DatabaseSpec { kind: DatabaseKind::Events, tag: tag.to_vec(), ..spec("e", &["*"]) }
}

#[test]
fn rows_are_found_by_key_and_by_index() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &events(b""));
    let writer = me.clone();
    write(&node, move |w| {
        for (id, word) in [("b", "two"), ("a", "one")] {
            w.append(db, &writer, Payload::add(record(id, [("w", word.into())]).into()))?;
        }
        let refused = [Value::from("no record"), Map::from_iter([("w", "no key")]).into(), record("", []).into()];
        for value in refused {
            let error = w.append(db, &writer, Payload::add(value)).unwrap_err();
            assert!(matches!(error, WriteError::Record { .. }), "{error}");
        }
        let error = w.append(db, &writer, Payload::put("a".into(), record("a", []).into())).unwrap_err();
        assert!(matches!(error, WriteError::Kind { .. }), "{error}");
        let error = w.del(db, &writer, "a".into()).unwrap_err();
        assert!(matches!(error, WriteError::Kind { .. }), "{error}");
        Ok::<(), WriteError>(())
    })
    .unwrap();
    let snapshot = node.snapshot().unwrap();
    let held = snapshot.get(db, &key("a")).unwrap().unwrap();
    assert_eq!((held.record.field("w"), held.author.as_str()), (&"one".into(), me.id()));
    let keys = |rows: debros_orbit::RowRefs<'_>| rows.map(|row| row.unwrap().key().to_vec()).collect::<Vec<_>>();
    assert_eq!(keys(snapshot.scan_keys(db, &[], None, false)), [key("a"), key("b")]);
    assert_eq!(keys(snapshot.scan_index(db, 0, &[], None, true)), [key("b"), key("a")]);
    assert_eq!(keys(snapshot.scan_family("Family", Some(0), &[], None, false)), [key("a"), key("b")]);
    assert_eq!((snapshot.count(db).unwrap(), snapshot.entries(db).unwrap()), (2, 2));
    assert_eq!(snapshot.problems(None).count(), 0);
    verify(&node);
}

#[derive(Clone, Debug)]
enum Act {
    Add {
        writer: usize,
        id: u8,
        bad: bool,
        /// The user to whom the key commits, as the record says.
        owner: usize,
    },
    /// The first takes over what the second has.
    Meet(usize, usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let add = (0..WRITERS, 1..4u8, any::<bool>(), 0..WRITERS).prop_map(|(writer, id, bad, owner)| Act::Add {
        writer,
        id,
        bad,
        owner,
    });
    let meet = (0..WRITERS, 0..WRITERS).prop_map(|(a, b)| Act::Meet(a, b));
    proptest::collection::vec(prop_oneof![4 => add, 2 => meet], 1..25)
}

/// All entries that come of the acts. Whoever has not met the others writes with an early clock.
fn entries(acts: &[Act], spec: &DatabaseSpec, writers: &[Identity]) -> HashMap<Hash, Entry> {
    let mut logs = vec![Log::new(spec.address().unwrap()); WRITERS];
    let mut all = HashMap::new();
    for (n, act) in acts.iter().enumerate() {
        match act {
            Act::Add { writer, id, bad, owner } => {
                let mut record = record(*id, [("w", (n as u32).into()), ("owner", writers[*owner].id().into())]);
                if *bad {
                    record.insert("bad", true);
                }
                let payload = Payload::add(record.into()).into_value();
                let hash = logs[*writer].append(&writers[*writer], payload, 2).unwrap();
                all.insert(hash, logs[*writer].get(&hash).unwrap().clone());
            }
            Act::Meet(to, from) => {
                let mut theirs: Vec<Entry> = logs[*from].traverse().cloned().collect();
                theirs.sort_by_key(|entry| entry.clock().time);
                for entry in theirs {
                    logs[*to].join(entry).unwrap();
                }
            }
        }
    }
    all
}

/// What a key holds and is said of it: the record and whether it is a row; the duplicates.
type Held = (Option<(Map, bool)>, Vec<Value>);

fn state(spec: &DatabaseSpec, entries: &[Entry], writers: &[Identity]) -> Vec<Held> {
    let folder = folder();
    let node = open(folder.path());
    let db = open_database(&node, spec);
    for entry in entries {
        // each in a commit of its own
        let (entry, writers) = (entry.clone(), writers.to_vec());
        let joined = write(&node, move |w| {
            for writer in writers {
                w.add_identity(writer.bytes())?;
            }
            w.join(db, entry.bytes())
        });
        assert!(job_error::<_, JoinError>(joined).unwrap());
    }
    verify(&node);
    let snapshot = node.snapshot().unwrap();
    let held: Vec<Held> = (1..4u8)
        .map(|id| {
            let document = snapshot.get(db, &key(id)).unwrap();
            if let Some(document) = &document {
                assert_eq!(document.author, document.first_author);
            }
            let problems = snapshot.problems(Some(db)).map(Result::unwrap);
            let duplicates =
                problems.filter(|problem| problem.key == key(id) && problem.kind == ProblemKind::Duplicate);
            let mut duplicates: Vec<Value> =
                duplicates.map(|problem| snapshot.load_value(problem.position).unwrap()).collect();
            duplicates.sort_by_key(|value| format!("{value:?}"));
            (document.map(|document| (document.record, document.problem.is_none())), duplicates)
        })
        .collect();
    // rows, index rows and family rows are those of the keys that hold one
    let rows = held.iter().filter(|(row, _)| row.as_ref().is_some_and(|(_, is_row)| *is_row)).count();
    assert_eq!(snapshot.count(db).unwrap(), rows as u64);
    let mut words = Vec::new();
    for row in snapshot.scan_index(db, 0, &[], None, false) {
        words.push(snapshot.load(row.unwrap().position).unwrap());
    }
    assert!(
        words.len() == rows && words.iter().all(|word| held.iter().any(|(row, _)| *row == Some((word.clone(), true))))
    );
    assert_eq!(snapshot.scan_family("Family", None, &[], None, false).count(), rows);
    held
}

/// Of each key the events that may stand there, those first whose key commits to their author, then in the order of the log.
fn oracle(entries: &HashMap<Hash, Entry>, owners_only: bool) -> Vec<Held> {
    let user: HashMap<Hash, Identity> = writers().into_iter().map(|writer| (writer.hash(), writer)).collect();
    let mut all: Vec<(bool, &Entry)> = entries
        .values()
        .map(|entry| {
            let value = entry.payload().as_map().unwrap().field("value").as_map().unwrap();
            (value.field("owner").as_text() == Some(user[&entry.identity()].id()), entry)
        })
        .filter(|(commits, _)| *commits || !owners_only)
        .collect();
    all.sort_by_key(|(commits, entry)| (Reverse(*commits), entry.clock(), entry.hash()));
    let values = all.into_iter().map(|(_, entry)| entry.payload().as_map().unwrap().field("value").clone());
    let values: Vec<Value> = values.collect();
    (1..4u8)
        .map(|id| {
            let mut of =
                values.iter().filter(|value| value.as_map().unwrap().field("_id") == &Value::from(id)).cloned();
            let row = of.next().map(|value| value.as_map().unwrap().clone());
            let mut duplicates: Vec<Value> = of.collect();
            duplicates.sort_by_key(|value| format!("{value:?}"));
            let row = row.map(|row| {
                let is_row = !row.contains_key("bad");
                (row, is_row)
            });
            (row, duplicates)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn replicas_agree_on_the_first_of_each_key(acts in acts(), seeds in [any::<u64>(), any::<u64>()], owner in any::<bool>()) {
        let writers = writers();
        let spec = events(if owner { b"owner" } else { b"" });
        let entries = entries(&acts, &spec, &writers);
        let expected = oracle(&entries, owner);
        for seed in seeds {
            prop_assert_eq!(&state(&spec, &order(&entries, seed), &writers), &expected);
        }
    }
}
