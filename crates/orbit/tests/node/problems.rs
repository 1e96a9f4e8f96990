use crate::support::{del, folder, job_error, key, open, open_database, put, record, spec, verify, write};
use debros_core::{Map, Value};
use debros_orbit::{
    Address, DatabaseId, DatabaseSpec, Entry, Hash, Identity, JoinError, Node, Payload, ProblemKind, ReadDocuments,
    SigningKey, WriteError,
};

fn identity(n: u8) -> Identity {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    Identity::new(&key(n), key(100 + n))
}

/// Writes an entry elsewhere, after the heads that the node has, and joins it.
fn join(node: &Node, database: DatabaseId, writer: &Identity, payload: Value) -> Hash {
    let snapshot = node.snapshot().unwrap();
    let heads = snapshot.heads(database).unwrap();
    let address: Address = snapshot.info(database).unwrap().address;
    let time = |head: &Hash| Entry::decode(&snapshot.block(head).unwrap().unwrap()).unwrap().clock().time;
    let entry = Entry::create(writer, address, payload, &heads, &[], heads.iter().map(time).max().unwrap_or(0) + 1);
    let (entry, writer) = (entry.unwrap(), writer.clone());
    let hash = entry.hash();
    let joined = write(node, move |w| {
        w.add_identity(writer.bytes())?;
        w.join(database, entry.bytes())
    });
    assert!(job_error::<_, JoinError>(joined).unwrap());
    hash
}

fn put_value(record: Map) -> Value {
    Payload::put(record.field("_id").clone(), record.into()).into_value()
}

#[test]
fn a_record_that_does_not_decode_is_listed_and_not_served() {
    let folder = folder();
    let node = open(folder.path());
    let me = node.identity("me").unwrap();
    let other = identity(1);
    let db = open_database(&node, &spec("d", &["*"]));
    put(&node, db, &me, record("a", [("w", "good".into())])).unwrap();
    put(&node, db, &me, record("b", [("w", "good".into())])).unwrap();
    join(&node, db, &other, put_value(record("a", [("w", "x".into()), ("bad", 1.into())])));
    join(&node, db, &other, Payload::put("c".into(), "no record".into()).into_value());
    join(&node, db, &other, Payload::put("d".into(), record("e", []).into()).into_value());

    let snapshot = node.snapshot().unwrap();
    let problems: Vec<_> = snapshot.problems(Some(db)).map(Result::unwrap).collect();
    let listed: Vec<_> = problems.iter().map(|p| (p.key.clone(), p.kind, p.reason.as_str())).collect();
    assert_eq!(
        listed,
        [
            (key("a"), ProblemKind::Held, "it is bad"),
            (key("c"), ProblemKind::Held, "the value is text where a record should be"),
            (key("d"), ProblemKind::Held, "the record's `_id` is not the key under which it was put"),
        ]
    );
    assert!(problems.iter().all(|p| p.author == other.id() && p.database == db));
    assert_eq!(snapshot.load_value(problems[1].position).unwrap(), "no record".into());
    // it stays in the log's state
    let held = snapshot.get(db, &key("a")).unwrap().unwrap();
    assert_eq!((held.problem.as_deref(), held.author.as_str()), (Some("it is bad"), other.id()));
    // and is in no scan
    let keys: Vec<_> = snapshot.scan_keys(db, &[], None, false).map(|row| row.unwrap().key().to_vec()).collect();
    assert_eq!(keys, [key("b")]);
    assert_eq!(snapshot.scan_index(db, 0, &[], None, false).count(), 1);
    assert_eq!(snapshot.scan_family("Family", None, &[], None, false).count(), 1);
    assert_eq!(snapshot.count(db).unwrap(), 1);

    // until it is put right, or deleted
    put(&node, db, &me, record("a", [("w", "good again".into())])).unwrap();
    del(&node, db, &me, "c").unwrap();
    let snapshot = node.snapshot().unwrap();
    assert_eq!(snapshot.problems(None).count(), 1);
    assert_eq!(snapshot.count(db).unwrap(), 2);
    assert_eq!(snapshot.scan_index(db, 0, &[], None, false).count(), 2);
    verify(&node);
}

#[test]
fn a_payload_that_means_nothing_changes_the_log_alone() {
    let folder = folder();
    let node = open(folder.path());
    let db = open_database(&node, &spec("d", &["*"]));
    let other = identity(1);
    for payload in [
        Value::Null,
        "text".into(),
        Map::from_iter([("op", "NOSUCH"), ("key", "a")]).into(),
        Payload::add("x".into()).into_value(),
    ] {
        let hash = join(&node, db, &other, payload);
        assert_eq!(node.snapshot().unwrap().heads(db).unwrap(), [hash]);
    }
    let snapshot = node.snapshot().unwrap();
    assert_eq!((snapshot.entries(db).unwrap(), snapshot.count(db).unwrap()), (4, 0));
    assert_eq!(snapshot.problems(None).count(), 0);
    verify(&node);
}

#[test]
fn where_owners_write_others_are_refused() {
    let folder = folder();
    let node = open(folder.path());
    let (alice, bob) = (node.identity("alice").unwrap(), identity(2));
    let db = open_database(&node, &DatabaseSpec { tag: b"owner".to_vec(), ..spec("d", &["*"]) });
    let by = |owner: &Identity, w: &'static str| record("a", [("owner", owner.id().into()), ("w", w.into())]);
    put(&node, db, &alice, by(&alice, "hers")).unwrap();
    // here, it is an error
    let error = put(&node, db, &alice, by(&bob, "his")).unwrap_err();
    assert!(matches!(error, WriteError::Record { .. }), "{error}");
    // from elsewhere it joins the log, which others build on, and not the state
    let refused = join(&node, db, &bob, put_value(by(&alice, "forged")));
    let snapshot = node.snapshot().unwrap();
    assert_eq!(snapshot.heads(db).unwrap(), [refused]);
    assert_eq!(snapshot.get(db, &key("a")).unwrap().unwrap().record.field("w"), &Value::from("hers"));
    let problem = snapshot.problems(None).next().unwrap().unwrap();
    assert!(
        problem.kind == ProblemKind::Refused
            && problem.author == bob.id()
            && problem.reason == "it is not its author's"
    );

    // nor does another's deletion remove anything, now or later
    join(&node, db, &bob, Payload::del("a".into()).into_value());
    join(&node, db, &bob, Payload::del("b".into()).into_value());
    assert!(node.snapshot().unwrap().get(db, &key("a")).unwrap().is_some());
    put(&node, db, &alice, record("b", [("owner", alice.id().into())])).unwrap();
    assert_eq!(node.snapshot().unwrap().count(db).unwrap(), 2);

    // bob cannot delete hers here either
    let deleted = job_error(write(&node, move |w| w.del(db, &bob, "a".into())));
    assert!(matches!(deleted, Err(WriteError::NotOwner { .. })));
    del(&node, db, &alice, "a").unwrap();
    assert_eq!(node.snapshot().unwrap().count(db).unwrap(), 1);
    verify(&node);
}
