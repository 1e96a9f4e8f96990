use crate::support::{close, del, folder, job_error, key, open, open_database, put, record, spec, verify, write};
use debros_core::{Map, Value};
use debros_orbit::{
    AccessSpec, DatabaseKind, DatabaseSpec, DocumentError, Entry, EntryError, NoSchema, Node, NodeOptions,
    OpenDatabaseError, Payload, ReadDocuments, ReadError, WriteError,
};
use std::sync::Arc;

#[test]
fn a_record_is_put_changed_and_deleted() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &spec("d", &[me.id()]));
    let before = node.snapshot().unwrap();

    put(&node, db, &me, record("a", [("w", "one".into())])).unwrap();
    let first = node.snapshot().unwrap();
    assert_eq!(before.get(db, &key("a")).unwrap(), None);
    let found = first.get(db, &key("a")).unwrap().unwrap();
    assert_eq!(found.record, record("a", [("w", "one".into())]));
    assert_eq!((found.author.as_str(), found.first_author.as_str(), found.problem), (me.id(), me.id(), None));
    assert_eq!(first.load(found.position).unwrap(), found.record);

    put(&node, db, &me, record("a", [("w", "two".into()), ("n", 2.into())])).unwrap();
    put(&node, db, &me, record(5, [("w", "two".into())])).unwrap();
    put(&node, db, &me, record("5", [])).unwrap();
    let second = node.snapshot().unwrap();
    assert_eq!(second.get(db, &key("a")).unwrap().unwrap().record.field("w"), &Value::from("two"));
    assert_eq!(first.get(db, &key("a")).unwrap().unwrap().record.field("w"), &Value::from("one"));
    assert_eq!(second.count(db).unwrap(), 3, "5 is not \"5\"");
    assert_eq!(second.entries(db).unwrap(), 4);

    del(&node, db, &me, "a").unwrap();
    let third = node.snapshot().unwrap();
    assert_eq!(third.get(db, &key("a")).unwrap(), None);
    assert_eq!(third.count(db).unwrap(), 2);
    let words: Vec<_> = third.scan_index(db, 0, &[], None, false).map(|row| row.unwrap().key().to_vec()).collect();
    assert_eq!(words, [key(5)]);
    assert_eq!(third.scan_index(db, 1, &[], None, false).count(), 0);
    assert!(matches!(del(&node, db, &me, "a"), Err(WriteError::Document { source: DocumentError::NotFound(_), .. })));
    put(&node, db, &me, record("a", [])).unwrap();
    assert_eq!(node.snapshot().unwrap().count(db).unwrap(), 3);
    verify(&node);
    close(&node);
}

#[test]
fn entries_are_what_javascript_writes() {
    let folder = folder();
    let mut options = NodeOptions::default();
    options.references = 16;
    let node = Node::open(folder.path(), options, Arc::new(NoSchema)).unwrap();
    let me = node.identity("me").unwrap();
    let spec = spec("d", &[me.id()]);
    let db = open_database(&node, &spec);
    let mut log = debros_orbit::Log::new(spec.address().unwrap());
    for n in 0..40u32 {
        let record = record(format!("k{n}"), [("n", n.into())]);
        let expected = log.append(&me, Payload::put(format!("k{n}").into(), record.clone().into()).into_value(), 16);
        put(&node, db, &me, record).unwrap();
        let snapshot = node.snapshot().unwrap();
        assert_eq!(snapshot.heads(db).unwrap(), [expected.unwrap()]);
        let block = snapshot.block(&snapshot.heads(db).unwrap()[0]).unwrap().unwrap();
        let entry = Entry::decode(&block).unwrap();
        entry.verify(me.block()).unwrap();
        assert_eq!(Some(&entry), log.get(&entry.hash()));
    }
    // and without further ancestors unless asked
    let other = crate::support::folder();
    let node = open(other.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &spec_of(me.id()));
    for n in 0..3 {
        put(&node, db, &me, record(n + 1, [])).unwrap();
    }
    let snapshot = node.snapshot().unwrap();
    let block = snapshot.block(&snapshot.heads(db).unwrap()[0]).unwrap().unwrap();
    assert!(Entry::decode(&block).unwrap().refs().is_empty());
}

fn spec_of(id: &str) -> DatabaseSpec {
    spec("d", &[id])
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &spec("d", &[me.id()]));
    let refused = |record: Map| {
        let error = put(&node, db, &me, record).unwrap_err();
        assert!(error.to_string().contains("`d`"), "{error}");
        error
    };
    for key in [Value::Null, "".into(), 0.into(), false.into()] {
        assert!(matches!(refused(record(key, [])), WriteError::Document { source: DocumentError::NoKey(_), .. }));
    }
    assert!(matches!(refused(Map::new()), WriteError::Document { source: DocumentError::NoKey(_), .. }));
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(
            refused(record("a", [("w", number.into())])),
            WriteError::Entry { source: EntryError::Payload(_), .. }
        ));
    }
    let large = "x".repeat(1 << 20);
    let error = refused(record("a", [("w", large.as_str().into())]));
    assert!(matches!(error, WriteError::Entry { source: EntryError::TooLarge(_), .. }), "{error}");
    let mut deep = Value::Null;
    for _ in 0..100 {
        deep = vec![deep].into();
    }
    assert!(matches!(refused(record("a", [("w", deep)])), WriteError::Entry { source: EntryError::Scan(_), .. }));
    assert!(matches!(refused(record("k".repeat(5000), [])), WriteError::Record { .. }));
    assert!(matches!(refused(record("a", [("bad", true.into())])), WriteError::Record { .. }));
    let snapshot = node.snapshot().unwrap();
    assert_eq!((snapshot.count(db).unwrap(), snapshot.entries(db).unwrap()), (0, 0));
    assert_eq!(snapshot.problems(None).count(), 0);
    // almost 1 MiB is fine
    put(&node, db, &me, record("a", [("x", "x".repeat((1 << 20) - 2000).into())])).unwrap();
    verify(&node);
}

#[test]
fn a_batch_is_whole_or_absent() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let db = open_database(&node, &spec("d", &[me.id()]));
    put(&node, db, &me, record("a", [("w", "old".into())])).unwrap();

    let (writer, other) = (me.clone(), spec("e", &[me.id()]));
    let failed = write(&node, move |w| {
        let e = w.open(&other).map_err(|e| e.to_string())?;
        for n in 1..50 {
            w.put(db, &writer, record(n, [("w", n.into())])).map_err(|e| e.to_string())?;
            w.put(e, &writer, record(n, [])).map_err(|e| e.to_string())?;
        }
        w.put(db, &writer, record("a", [("w", "new".into())])).map_err(|e| e.to_string())?;
        assert_eq!(w.get(db, &key("a")).unwrap().unwrap().record.field("w"), &Value::from("new"));
        assert_eq!((w.count(db).unwrap(), w.count(e).unwrap()), (50, 49));
        Err::<(), String>("changed my mind".to_owned())
    });
    assert_eq!(job_error(failed), Err("changed my mind".to_owned()));
    let snapshot = node.snapshot().unwrap();
    assert_eq!(snapshot.count(db).unwrap(), 1);
    assert_eq!(snapshot.scan_index(db, 0, &[], None, false).count(), 1);
    assert_eq!(snapshot.get(db, &key("a")).unwrap().unwrap().record.field("w"), &Value::from("old"));
    assert_eq!(snapshot.database("e").unwrap(), None);

    // an operation that fails leaves the others of its write alone
    let writer = me.clone();
    write(&node, move |w| {
        w.put(db, &writer, record("b", []))?;
        assert!(w.put(db, &writer, Map::new()).is_err());
        assert!(w.del(db, &writer, "nothing".into()).is_err());
        w.del(db, &writer, "a".into())?;
        w.put(db, &writer, record("c", []))?;
        Ok::<(), WriteError>(())
    })
    .unwrap();
    let snapshot = node.snapshot().unwrap();
    assert_eq!(snapshot.count(db).unwrap(), 2);
    assert_eq!(snapshot.entries(db).unwrap(), 4);
    assert_eq!(snapshot.heads(db).unwrap().len(), 1);
    verify(&node);
}

#[test]
fn opening_a_database_again_does_nothing() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let spec = spec("d", &[me.id()]);
    let db = open_database(&node, &spec);
    assert_eq!(open_database(&node, &spec), db);
    let other = DatabaseSpec { access: AccessSpec::Ipfs { write: vec!["*".to_owned()] }, ..spec.clone() };
    let open_to_all = open_database(&node, &other);
    assert_ne!(open_to_all, db);

    let snapshot = node.snapshot().unwrap();
    let info = snapshot.database("d").unwrap().unwrap();
    assert_eq!((info.id, &info.spec), (db, &spec));
    assert_eq!(info.address, spec.address().unwrap());
    assert_eq!(snapshot.database(&other.address().unwrap().to_string()).unwrap().unwrap().id, open_to_all);
    assert_eq!(snapshot.find(&other).unwrap().unwrap().id, open_to_all);
    assert_eq!(snapshot.database("nothing").unwrap(), None);
    let family: Vec<_> = snapshot.databases("Family").unwrap().iter().map(|info| info.id).collect();
    assert_eq!(family, [db, open_to_all]);
    assert!(snapshot.databases("Nothing").unwrap().is_empty());
    // what a peer needs to open it
    assert!(snapshot.block(&info.address.manifest()).unwrap().is_some());
    assert!(matches!(snapshot.info(debros_orbit::DatabaseId(9)), Err(ReadError::NoDatabase(_))));

    let differs = DatabaseSpec { family: "Other".to_owned(), ..spec.clone() };
    let error = job_error(write(&node, move |w| w.open(&differs))).unwrap_err();
    assert!(matches!(error, OpenDatabaseError::Differs { .. }), "{error}");
    let nobody = DatabaseSpec { access: AccessSpec::Ipfs { write: vec![] }, ..spec };
    let error = job_error(write(&node, move |w| w.open(&nobody))).unwrap_err();
    assert!(matches!(error, OpenDatabaseError::NoWriters(_)), "{error}");
}

#[test]
fn keyvalue_and_events() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let kind = |name: &str, kind| DatabaseSpec { kind, ..spec(name, &[me.id()]) };
    let values = open_database(&node, &kind("v", DatabaseKind::KeyValue));
    let plain = DatabaseSpec { tag: b"plain".to_vec(), ..kind("e", DatabaseKind::Events) };
    let events = open_database(&node, &plain);
    let writer = me.clone();
    write(&node, move |w| {
        w.append(values, &writer, Payload::put("a".into(), Value::Null))?;
        w.append(values, &writer, Payload::put("b".into(), 1.into()))?;
        w.append(values, &writer, Payload::put("b".into(), 2.into()))?;
        w.append(values, &writer, Payload::put("c".into(), 3.into()))?;
        w.append(values, &writer, Payload::del("c".into()))?;
        for n in 0..3u32 {
            w.append(events, &writer, Payload::add(n.into()))?;
        }
        let error = w.append(events, &writer, Payload::put("a".into(), 1.into())).unwrap_err();
        assert!(matches!(error, WriteError::Kind { .. }), "{error}");
        let error = w.append(values, &writer, Payload::add(1.into())).unwrap_err();
        assert!(matches!(error, WriteError::Kind { .. }), "{error}");
        Ok::<(), WriteError>(())
    })
    .unwrap();
    let snapshot = node.snapshot().unwrap();
    assert_eq!(snapshot.value(values, &"a".into()).unwrap(), Some(Value::Null));
    assert_eq!(snapshot.value(values, &"b".into()).unwrap(), Some(2.into()));
    assert_eq!(snapshot.value(values, &"c".into()).unwrap(), None);
    let all = |reverse| -> Vec<Value> {
        let rows = snapshot.scan_keys(events, &[], None, reverse);
        rows.map(|row| snapshot.load_value(row.unwrap().position).unwrap()).collect()
    };
    assert_eq!(all(false), [0.into(), 1.into(), 2.into()]);
    assert_eq!(all(true), [2.into(), 1.into(), 0.into()]);
    verify(&node);
}
