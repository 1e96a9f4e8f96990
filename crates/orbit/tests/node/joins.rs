use crate::support::{folder, job_error, key, open, open_database, put, record, spec, verify, write};
use debros_core::{Map, Value};
use debros_orbit::{
    Address, DatabaseId, Entry, EntryError, Hash, Identity, IdentityBlock, JoinError, LogError, MAX_JUMP, Node,
    Payload, ReadDocuments, SigningKey,
};

fn signing(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32]).unwrap()
}
fn identity(n: u8) -> Identity {
    Identity::new(&signing(n), signing(100 + n))
}
fn payload(id: &str, w: &str) -> Value {
    Payload::put(id.into(), record(id, [("w", w.into())]).into()).into_value()
}
fn join(node: &Node, database: DatabaseId, bytes: &[u8]) -> Result<bool, JoinError> {
    let bytes = bytes.to_vec();
    job_error(write(node, move |w| w.join(database, &bytes)))
}
fn add(node: &Node, identity: &Identity) {
    let identity = identity.clone();
    job_error(write(node, move |w| w.add_identity(identity.bytes()))).unwrap();
}

struct Scene {
    _folder: tempfile::TempDir,
    node: Node,
    db: DatabaseId,
    address: Address,
    a: Identity,
    b: Identity,
    mallory: Identity,
}

/// A database that A and B may write; all three identities are known.
fn scene() -> Scene {
    let folder = folder();
    let node = open(folder.path());
    let (a, b, mallory) = (identity(1), identity(2), identity(3));
    let spec = spec("d", &[a.id(), b.id()]);
    let db = open_database(&node, &spec);
    for identity in [&a, &b, &mallory] {
        add(&node, identity);
    }
    Scene { _folder: folder, node, db, address: spec.address().unwrap(), a, b, mallory }
}

impl Scene {
    fn entry(&self, by: &Identity, id: &str, w: &str, next: &[&Entry], time: u64) -> Entry {
        let next: Vec<Hash> = next.iter().map(|entry| entry.hash()).collect();
        Entry::create(by, self.address, payload(id, w), &next, &[], time).unwrap()
    }
    fn join(&self, entry: &Entry) -> Result<bool, JoinError> {
        join(&self.node, self.db, entry.bytes())
    }
    fn word(&self, id: &str) -> Option<Value> {
        let found = self.node.snapshot().unwrap().get(self.db, &key(id)).unwrap();
        found.map(|found| found.record.field("w").clone())
    }
    fn heads(&self) -> Vec<Hash> {
        self.node.snapshot().unwrap().heads(self.db).unwrap()
    }
    /// Nothing came of anything.
    fn is_untouched(&self) -> bool {
        let snapshot = self.node.snapshot().unwrap();
        snapshot.entries(self.db).unwrap() == 0 && snapshot.count(self.db).unwrap() == 0 && self.heads().is_empty()
    }
}

#[test]
fn two_writers_meet() {
    let s = scene();
    let first = s.entry(&s.a, "k", "first", &[], 1);
    let left = s.entry(&s.a, "k", "left", &[&first], 2);
    let right = s.entry(&s.b, "k", "right", &[&first], 2);
    let right2 = s.entry(&s.b, "other", "x", &[&right], 3);
    assert!(s.join(&first).unwrap());
    assert!(s.join(&right).unwrap());
    assert!(s.join(&right2).unwrap());
    assert!(s.join(&left).unwrap());
    assert!(!s.join(&left).unwrap(), "again");
    assert_eq!(s.heads(), [right2.hash(), left.hash()], "newest first");
    // at the same time the larger key wins
    let winner = if s.a.public_key() > s.b.public_key() { "left" } else { "right" };
    assert_eq!(s.word("k"), Some(winner.into()));
    // the next local write follows both
    let me = s.node.identity("me").unwrap();
    assert!(put(&s.node, s.db, &me, record("k", [])).is_err(), "is not on the list");
    let merged = s.entry(&s.a, "k", "merged", &[&right2, &left], 4);
    assert!(s.join(&merged).unwrap());
    assert_eq!(s.heads(), [merged.hash()]);
    assert_eq!(s.word("k"), Some("merged".into()));
    verify(&s.node);
}

#[test]
fn equal_clocks_are_told_apart_by_hash() {
    let s = scene();
    // one device that wrote twice at the same time: what a restored backup of JavaScript does
    let one = s.entry(&s.a, "k", "one", &[], 1);
    let two = s.entry(&s.a, "k", "two", &[], 1);
    let winner = if one.hash() > two.hash() { "one" } else { "two" };
    for order in [[&one, &two], [&two, &one]] {
        let s = scene();
        for entry in order {
            assert!(s.join(entry).unwrap());
        }
        assert_eq!(s.word("k"), Some(winner.into()));
        assert_eq!(s.heads().len(), 2);
        verify(&s.node);
    }
}

#[test]
fn forged_entries_are_refused() {
    let s = scene();
    let good = s.entry(&s.b, "k", "good", &[], 1);
    let denied = |result| matches!(result, Err(JoinError::Denied { user, .. }) if user == s.mallory.id());
    assert!(denied(s.join(&s.entry(&s.mallory, "k", "x", &[], 1))));

    let value = Value::from_dag_cbor(good.bytes()).unwrap();
    let changed = |change: &dyn Fn(&mut Map)| {
        let Value::Map(mut fields) = value.clone() else { unreachable!() };
        change(&mut fields);
        Value::from(fields).to_dag_cbor().unwrap()
    };
    let error = |bytes: &[u8]| join(&s.node, s.db, bytes).unwrap_err();
    let forged = |error: JoinError, what: &str| {
        let found = matches!(
            (&error, what),
            (JoinError::Entry(EntryError::Signature(_)), "signature")
                | (JoinError::Entry(EntryError::NotTheIdentitys { .. }), "identity")
                | (JoinError::Entry(EntryError::Clock { .. }), "clock")
                | (JoinError::Entry(EntryError::Fields(_)), "fields")
                | (JoinError::Entry(EntryError::Version(_)), "version")
                | (JoinError::Entry(EntryError::Time(_)), "time")
                | (JoinError::Entry(EntryError::Key(_)), "key")
                | (JoinError::Entry(EntryError::Log(_)), "log text")
                | (JoinError::Log(LogError::OtherLog { .. }), "log")
        );
        assert!(found, "{what}: {error:?}");
    };
    // the identity of someone who may write, on the signature of someone who may not
    let mallorys = s.entry(&s.mallory, "k", "x", &[], 1);
    let Value::Map(mut stolen) = Value::from_dag_cbor(mallorys.bytes()).unwrap() else { unreachable!() };
    stolen.insert("identity", s.b.hash().to_string());
    forged(error(&Value::from(stolen).to_dag_cbor().unwrap()), "identity");
    // another valid identity on a good entry: the same entry under another name
    forged(error(&changed(&|f| drop(f.insert("identity", s.a.hash().to_string())))), "identity");
    let other_payload = payload("k", "changed");
    forged(error(&changed(&|f| drop(f.insert("payload", other_payload.clone())))), "signature");
    forged(error(&changed(&|f| drop(f.insert("next", vec![Value::from(Hash::of(b"x").to_string())])))), "signature");
    let clock = |id: &str, time: Value| Map::from_iter([("id", Value::from(id)), ("time", time)]);
    let later = clock(s.b.public_key(), 2.into());
    forged(error(&changed(&|f| drop(f.insert("clock", later.clone())))), "signature");
    let others = clock(s.a.public_key(), 1.into());
    forged(error(&changed(&|f| drop(f.insert("clock", others.clone())))), "clock");
    for time in [(-1).into(), 1.5.into(), "1".into(), Value::Null, f64::from(2.0_f32.powi(60)).into()] {
        let odd = clock(s.b.public_key(), time);
        forged(error(&changed(&|f| drop(f.insert("clock", odd.clone())))), "fields");
    }
    for time in [Value::from(0), (1u64 << 53).into(), u64::MAX.into()] {
        let odd = clock(s.b.public_key(), time);
        forged(error(&changed(&|f| drop(f.insert("clock", odd.clone())))), "time");
    }
    forged(error(&changed(&|f| drop(f.insert("extra", 1)))), "fields");
    for field in ["v", "id", "key", "sig", "next", "refs", "clock", "payload", "identity"] {
        forged(error(&changed(&|f| drop(f.remove(field)))), "fields");
    }
    forged(error(&changed(&|f| drop(f.insert("v", 1)))), "version");
    forged(error(&changed(&|f| drop(f.insert("key", s.a.public_key().to_uppercase())))), "key");
    forged(error(&changed(&|f| drop(f.insert("id", "/orbitdb/zdpu")))), "log text");
    let elsewhere = Entry::create(&s.b, Address::of(Hash::of(b"x")), payload("k", "x"), &[], &[], 1).unwrap();
    forged(error(elsewhere.bytes()), "log");
    let sig = Value::from_dag_cbor(mallorys.bytes()).unwrap().as_map().unwrap().field("sig").clone();
    forged(error(&changed(&|f| drop(f.insert("sig", sig.clone())))), "signature");
    forged(error(&changed(&|f| drop(f.insert("sig", good.signature().to_uppercase())))), "signature");
    forged(error(&changed(&|f| drop(f.insert("sig", format!("{}00", good.signature()))))), "signature");

    // the bytes themselves
    for len in [0, 1, 10, good.bytes().len() - 1] {
        forged(error(&good.bytes()[..len]), "fields");
    }
    let mut trailing = good.bytes().to_vec();
    trailing.push(0);
    forged(error(&trailing), "fields");
    let mut large = good.bytes().to_vec();
    large.resize((4 << 20) + 1, 0);
    assert!(matches!(error(&large), JoinError::Entry(EntryError::TooLargeToAccept(_))));
    for at in 0..good.bytes().len() {
        let mut flipped = good.bytes().to_vec();
        flipped[at] ^= 1;
        assert!(join(&s.node, s.db, &flipped).is_err(), "byte {at}");
    }

    assert!(s.is_untouched());
    assert!(s.join(&good).unwrap());
    verify(&s.node);
}

#[test]
fn unknown_and_forged_identities_are_refused() {
    let s = scene();
    let stranger = identity(9);
    let entry = s.entry(&stranger, "k", "x", &[], 1);
    assert!(matches!(s.join(&entry), Err(JoinError::UnknownIdentity(hash)) if hash == stranger.hash()));
    add(&s.node, &stranger);
    add(&s.node, &stranger);
    assert!(matches!(s.join(&entry), Err(JoinError::Denied { .. })));

    // a device of mallory's that claims to be one of A's
    let forged = IdentityBlock { id: s.a.block().id, ..s.mallory.block().clone() };
    let added = job_error(write(&s.node, move |w| w.add_identity(&forged.to_bytes())));
    assert!(matches!(added, Err(JoinError::Identity(_))));
    // two devices of one user are fine
    let device = Identity::new(&signing(1), signing(77));
    add(&s.node, &device);
    assert!(s.join(&s.entry(&device, "k", "x", &[], 1)).unwrap());
    let found = s.node.snapshot().unwrap().get(s.db, &key("k")).unwrap().unwrap();
    assert_eq!(found.author, s.a.id());
    verify(&s.node);
}

#[test]
fn ancestors_come_first() {
    let s = scene();
    let first = s.entry(&s.a, "k", "1", &[], 1);
    let second = s.entry(&s.a, "k", "2", &[&first], 2);
    let third = s.entry(&s.b, "k", "3", &[&second], 3);
    assert!(matches!(s.join(&third), Err(JoinError::Log(LogError::Missing(hash))) if hash == second.hash()));
    assert!(s.is_untouched());
    let refers = Entry::create(&s.a, s.address, payload("k", "x"), &[], &[first.hash()], 5).unwrap();
    assert!(matches!(s.join(&refers), Err(JoinError::Log(LogError::Missing(hash))) if hash == first.hash()));
    // what is in the store and no entry of this log is no ancestor
    let identity = Entry::create(&s.a, s.address, payload("k", "x"), &[s.a.hash()], &[], 5).unwrap();
    assert!(matches!(s.join(&identity), Err(JoinError::Log(LogError::Missing(_)))));
    let other = open_database(&s.node, &spec("other", &["*"]));
    let address = s.node.snapshot().unwrap().info(other).unwrap().address;
    let there = Entry::create(&s.a, address, payload("k", "x"), &[], &[], 1).unwrap();
    assert!(join(&s.node, other, there.bytes()).unwrap());
    let across = s.entry(&s.a, "k", "x", &[&there], 2);
    assert!(matches!(s.join(&across), Err(JoinError::Log(LogError::Missing(_)))));
    assert!(s.is_untouched());

    for entry in [&first, &second, &third, &refers] {
        assert!(s.join(entry).unwrap());
    }
    verify(&s.node);
}

#[test]
fn clocks_do_not_run_backwards_or_away() {
    let s = scene();
    let first = s.entry(&s.a, "k", "1", &[], 7);
    assert!(s.join(&first).unwrap());
    for time in [1, 7] {
        let bad = s.entry(&s.b, "k", "2", &[&first], time);
        assert!(matches!(s.join(&bad), Err(JoinError::Log(LogError::NotLater { before: 7, .. }))));
    }
    let away = s.entry(&s.b, "k", "2", &[&first], 8 + MAX_JUMP);
    assert!(matches!(s.join(&away), Err(JoinError::Log(LogError::TooFarAhead { .. }))));
    let away = s.entry(&s.b, "k", "2", &[], debros_orbit::MAX_TIME);
    assert!(matches!(s.join(&away), Err(JoinError::Log(LogError::TooFarAhead { .. }))));
    // ahead, and within reason
    assert!(s.join(&s.entry(&s.b, "k", "2", &[&first], 7 + MAX_JUMP)).unwrap());
    verify(&s.node);
}

#[test]
fn a_failed_join_leaves_the_rest_of_its_write_alone() {
    let s = scene();
    let good = s.entry(&s.a, "k", "good", &[], 1);
    let orphan = s.entry(&s.a, "k", "orphan", &[&s.entry(&s.a, "k", "lost", &[], 1)], 2);
    let db = s.db;
    let joined = write(&s.node, move |w| {
        assert!(w.join(db, orphan.bytes()).is_err());
        w.join(db, good.bytes())
    });
    assert!(job_error(joined).unwrap());
    assert_eq!(s.node.snapshot().unwrap().entries(s.db).unwrap(), 1);
    verify(&s.node);
}

#[test]
fn many_heads_are_brought_together_by_and_by() {
    let s = scene();
    let entries: Vec<Entry> = (0..300).map(|n| s.entry(&s.b, &format!("k{n}"), "x", &[], 1)).collect();
    let (db, a) = (s.db, s.a.clone());
    let (heads, after, again) = write(&s.node, move |w| {
        for entry in entries {
            w.join(db, entry.bytes()).map_err(|e| e.to_string())?;
        }
        let heads = w.heads(db).map_err(|e| e.to_string())?;
        w.put(db, &a, record("k0", [("w", "y".into())])).map_err(|e| e.to_string())?;
        let after = w.heads(db).map_err(|e| e.to_string())?;
        w.put(db, &a, record("k1", [("w", "y".into())])).map_err(|e| e.to_string())?;
        Ok::<_, String>((heads, after, w.heads(db).map_err(|e| e.to_string())?))
    })
    .unwrap();
    assert_eq!((heads.len(), after.len(), again.len()), (300, 45, 1));
    let snapshot = s.node.snapshot().unwrap();
    let entry = |hash: &Hash| Entry::decode(&snapshot.block(hash).unwrap().unwrap()).unwrap();
    assert_eq!(entry(&after[0]).next(), &heads[..256], "the newest, newest first");
    assert_eq!(entry(&again[0]).next(), after);
    assert_eq!(s.word("k0"), Some("y".into()));
    verify(&s.node);
}

#[test]
fn links_are_bounded() {
    let s = scene();
    let links: Vec<Hash> = (0..5000u32).map(|n| Hash::of(&n.to_be_bytes())).collect();
    let entry = Entry::create(&s.a, s.address, payload("k", "x"), &links[..4000], &links[4000..], 9).unwrap();
    assert!(matches!(s.join(&entry), Err(JoinError::Entry(EntryError::TooManyLinks(5000)))));
    assert!(s.is_untouched());
}
