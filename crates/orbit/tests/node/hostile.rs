//! Attacks, and accidents, that a second reader of the code found to succeed. None does any more.

use crate::support::{Words, folder, job_error, open, open_database, put, record, spec, write};
use debros_core::{Map, Value};
use debros_orbit::{
    AccessSpec, Address, DatabaseId, DatabaseKind, DatabaseSpec, Encryption, Entry, EventRange, Hash, Identity, Node,
    NodeOptions, Payload, ReadDocuments as _, Receipt, ReceiveError, SigningKey, Wanted, XChaCha20Cipher,
};
use futures::executor::block_on;
use std::sync::Arc;

fn identity(n: u8) -> Identity {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    Identity::new(&key(n), key(100 + n))
}
fn put_entry(by: &Identity, log: Address, id: &str, next: &[Hash], time: u64) -> Entry {
    let payload = Payload::put(id.into(), record(id, []).into()).into_value();
    Entry::create(by, log, payload, next, &[], time).unwrap()
}
fn recv(node: &Node, db: DatabaseId, ids: &[&Identity], entries: Vec<Vec<u8>>) -> Result<Receipt, ReceiveError> {
    let r = block_on(node.receive(db, "p", ids.iter().map(|i| i.bytes().to_vec()).collect(), entries));
    block_on(node.settle());
    r
}
/// nine fields, but clock.id is no key
fn garbage(log: Address) -> Vec<u8> {
    let text = |t: &str| Value::from(t.to_owned());
    let clock = Map::from_iter([("id", text("x")), ("time", Value::from(1))]);
    let fields = Map::from_iter([
        ("v", Value::from(2)),
        ("id", text(&log.to_string())),
        ("key", text("k")),
        ("sig", text("s")),
        ("next", Value::from(Vec::<Value>::new())),
        ("refs", Value::from(Vec::<Value>::new())),
        ("clock", Value::Map(clock)),
        ("payload", Value::Null),
        ("identity", text("i")),
    ]);
    Value::Map(fields).to_dag_cbor().unwrap()
}

/// A stranger wedges the tender of the whole node.
#[test]
fn stranger_wedges_tender() {
    let f = folder();
    let node = open(f.path());
    let (alice, bob, mallory) = (identity(1), identity(2), identity(3));
    let (sa, sb) = (spec("a", &[alice.id()]), spec("b", &[alice.id()]));
    let (a, b) = (open_database(&node, &sa), open_database(&node, &sb));
    let sc = spec("c", &[bob.id()]);
    let c = open_database(&node, &sc);
    let g = garbage(sa.address().unwrap());
    // mallory's entry is held in A for want of the identity
    let e = put_entry(&mallory, sa.address().unwrap(), "x", &[Hash::of(&g)], 2);
    drop(recv(&node, a, &[], vec![e.bytes().to_vec()]));
    drop(recv(&node, b, &[], vec![g]));
    // bob's entry in C waits for the identity only
    let e2 = put_entry(&bob, sc.address().unwrap(), "y", &[], 1);
    drop(recv(&node, c, &[], vec![e2.bytes().to_vec()]));
    drop(block_on(node.add_identities(vec![mallory.bytes().to_vec(), bob.bytes().to_vec()])));
    block_on(node.settle());
    let s = node.snapshot().unwrap();

    drop(
        recv(
            &node,
            a,
            &[&alice],
            vec![
                put_entry(&alice, sa.address().unwrap(), "ok", &[], 1).bytes().to_vec(),
                put_entry(&mallory, sa.address().unwrap(), "z", e.next(), 2).bytes().to_vec(),
            ],
        )
        .map_err(|e| e.to_string()),
    );
    assert_eq!(s.heads(c).unwrap(), [e2.hash()], "bob's entry joins");
}

/// A stranger's forged block, delivered to B, counts as joined in A.
#[test]
fn forged_block_of_another_database_counts_as_joined() {
    let f = folder();
    let node = open(f.path());
    let alice = identity(1);
    let (sa, sb) = (spec("a", &[alice.id()]), spec("b", &[alice.id()]));
    let (a, b) = (open_database(&node, &sa), open_database(&node, &sb));
    let log = sa.address().unwrap();
    let lost = put_entry(&alice, log, "lost", &[], 1);
    let mut forged = put_entry(&alice, log, "forged", &[lost.hash()], 2).bytes().to_vec();
    let at = forged.windows(3).position(|w| w == b"sig").unwrap();
    forged[at + 41] = if forged[at + 41] == b'0' { b'1' } else { b'0' };
    drop(recv(&node, b, &[&alice], vec![forged.clone()]));
    drop(recv(&node, a, &[&alice], vec![forged.clone()]));
    let e = put_entry(&alice, log, "e", &[Hash::of(&forged)], 3);
    let r = recv(&node, a, &[&alice], vec![e.bytes().to_vec()]).unwrap();

    assert_eq!(r.joined, 0, "it waits for `lost`");
}

/// A sealed block of A, delivered to B.
#[test]
fn sealed_block_in_another_database() {
    let f = folder();
    let alice = identity(1);
    let (sa, sb) = (spec("a", &[alice.id()]), spec("b", &[alice.id()]));
    let enc = Encryption { data: None, replication: Some(Arc::new(XChaCha20Cipher::generate().unwrap())) };
    let mut options = NodeOptions::default();
    options.encryptions.insert(sa.address().unwrap(), enc);
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let (a, b) = (open_database(&node, &sa), open_database(&node, &sb));
    let al = alice.clone();
    let hashes =
        job_error(write(&node, move |w| (1..4).map(|n| w.put(a, &al, record(n, []))).collect::<Result<Vec<_>, _>>()))
            .unwrap();
    let block = node.snapshot().unwrap().block(&hashes[0]).unwrap().unwrap().to_vec();
    drop(recv(&node, b, &[], vec![block.clone()]));
    drop(recv(&node, a, &[], vec![block.clone()]));
    let s = node.snapshot().unwrap();

    assert_eq!(s.heads(a).unwrap(), [hashes[2]]);
}

/// Events of a denied user are read with a newer bound.
#[test]
fn denied_events_are_read() {
    let f = folder();
    let node = open(f.path());
    let (alice, mallory) = (identity(1), identity(3));
    let s = DatabaseSpec { tag: b"plain".to_vec(), ..spec("ev", &[alice.id()]).of_kind(DatabaseKind::Events) };
    let db = open_database(&node, &s);
    let log = s.address().unwrap();
    let add = |by: &Identity, v: &str, next: &[Hash], t| {
        Entry::create(by, log, Payload::add(v.into()).into_value(), next, &[], t).unwrap()
    };
    let x = add(&mallory, "forged", &[], 1);
    let e = add(&alice, "real", &[x.hash()], 2);
    drop(recv(&node, db, &[&alice, &mallory], vec![x.bytes().to_vec(), e.bytes().to_vec()]));
    let sn = node.snapshot().unwrap();
    let all: Vec<_> = sn.events(db, &EventRange::all()).unwrap().map(|e| e.unwrap().value).collect();
    let lte: Vec<_> = sn.events(db, &EventRange::all().lte(e.hash())).unwrap().map(|e| e.unwrap().value).collect();

    assert_eq!(all, lte);
}

/// With references, local writes fail behind an entry that is refused.
#[test]
fn references_behind_a_refused_entry() {
    let f = folder();
    let alice = identity(1);
    let mut options = NodeOptions::default();
    options.references = 16;
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let s = spec("a", &[alice.id()]);
    let db = open_database(&node, &s);
    let log = s.address().unwrap();
    let g = b"\xa1\x61x\x01".to_vec();
    let e = put_entry(&alice, log, "e", &[Hash::of(&g)], 1);
    drop(recv(&node, db, &[&alice], vec![g, e.bytes().to_vec()]));
    put(&node, db, &alice, record("mine", [])).unwrap();
    let result = put(&node, db, &alice, record("mine 2", []));

    assert!(result.is_ok());
}

fn team_spec(admin: &Identity) -> DatabaseSpec {
    spec("data", &[]).with_access(AccessSpec::orbitdb("rights", [admin.id()]))
}
fn granted(node: &Node, s: &DatabaseSpec, admin: &Identity, to: &[&Identity]) -> (DatabaseId, DatabaseId) {
    let db = open_database(node, s);
    let access = node.snapshot().unwrap().info(db).unwrap().controller.unwrap();
    for t in to {
        let (by, t) = (admin.clone(), t.id().to_owned());
        job_error(write(node, move |w| w.grant(access, &by, "write", &t))).unwrap();
    }
    (db, access)
}
fn revoke(node: &Node, access: DatabaseId, admin: &Identity, from: &Identity) {
    let (by, from) = (admin.clone(), from.id().to_owned());
    job_error(write(node, move |w| w.revoke(access, &by, "write", &from))).unwrap();
}
fn access_entries(node: &Node, access: DatabaseId) -> Vec<Vec<u8>> {
    let s = node.snapshot().unwrap();
    let mut list = s.heads(access).unwrap();
    let mut out = vec![];
    while let Some(h) = list.pop() {
        let b = s.block(&h).unwrap().unwrap().to_vec();
        list.extend(Entry::decode(&b).unwrap().next());
        out.push(b);
    }
    out
}

/// A revoked user fills the disk beyond all limits.
#[test]
fn revoked_users_have_no_limit() {
    let f = folder();
    let mut options = NodeOptions::default();
    options.limits.quarantined = 4;
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let (admin, anna) = (identity(1), identity(2));
    let s = team_spec(&admin);
    let (db, access) = granted(&node, &s, &admin, &[&anna]);
    put(&node, db, &anna, record("a", [])).unwrap();
    revoke(&node, access, &admin, &anna);
    for n in 0..100u64 {
        let e = put_entry(&anna, s.address().unwrap(), "spam", &[], 1 + n);
        recv(&node, db, &[&anna], vec![e.bytes().to_vec()]).unwrap();
    }
    let held = node.snapshot().unwrap().held(Some(db)).count();

    assert!(held <= 4);
}

/// A fresh replica that gets the last head, which is by a user who was revoked, fetches nothing.
#[test]
fn frontier_is_not_fetched() {
    let (f, g) = (folder(), folder());
    let (node, fresh) = (open(f.path()), open(g.path()));
    let (admin, anna) = (identity(1), identity(2));
    let s = team_spec(&admin);
    let (db, access) = granted(&node, &s, &admin, &[&anna]);
    put(&node, db, &admin, record("1", [])).unwrap();
    put(&node, db, &anna, record("2", [])).unwrap();
    put(&node, db, &anna, record("3", [])).unwrap();
    revoke(&node, access, &admin, &anna);
    let fdb = open_database(&fresh, &s);
    let facc = fresh.snapshot().unwrap().info(fdb).unwrap().controller.unwrap();
    recv(&fresh, facc, &[&admin], access_entries(&node, access)).unwrap();
    let head = node.snapshot().unwrap().heads(db).unwrap()[0];
    let block = node.snapshot().unwrap().block(&head).unwrap().unwrap().to_vec();
    drop(recv(&fresh, fdb, &[&admin, &anna], vec![block]));
    let wanted = fresh.snapshot().unwrap().wanted(None, 100).unwrap();

    assert!(!wanted.is_empty());
}

/// One re-encrypts what another signed: it joins twice.
#[test]
fn resealed_entry_joins_twice() {
    let f = folder();
    let alice = identity(1);
    let s = DatabaseSpec { tag: b"plain".to_vec(), ..spec("ev", &[alice.id()]).of_kind(DatabaseKind::Events) };
    let enc = Encryption { data: None, replication: Some(Arc::new(XChaCha20Cipher::generate().unwrap())) };
    let mut options = NodeOptions::default();
    options.encryptions.insert(s.address().unwrap(), enc.clone());
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let db = open_database(&node, &s);
    let e = Entry::create(&alice, s.address().unwrap(), Payload::add("once".into()).into_value(), &[], &[], 1).unwrap();
    let blocks = (0..3).map(|_| e.clone().seal(&enc).unwrap().block().to_vec()).chain([e.bytes().to_vec()]).collect();
    drop(recv(&node, db, &[&alice], blocks));
    let n = node.snapshot().unwrap().events(db, &EventRange::all()).unwrap().count();

    assert_eq!(n, 1);
}

/// What cannot be found hides identities.
#[test]
fn starved() {
    let f = folder();
    let node = open(f.path());
    let (alice, bob) = (identity(1), identity(2));
    let s = spec("a", &["*"]);
    let db = open_database(&node, &s);
    let log = s.address().unwrap();
    let next: Vec<Hash> = (0..4096u64).map(|n| Hash::of(&n.to_be_bytes())).collect();
    drop(recv(&node, db, &[&alice], vec![put_entry(&alice, log, "x", &next, 1).bytes().to_vec()]).map(|r| r.held));
    drop(recv(&node, db, &[], vec![put_entry(&bob, log, "y", &[], 1).bytes().to_vec()]).map(|r| r.held));
    let wanted = node.snapshot().unwrap().wanted(None, 4096).unwrap();
    assert!(wanted.iter().any(|w| matches!(w, Wanted::Identity(_))));
}

/// A full quarantine locks new writers out.
#[test]
fn quarantine_lockout() {
    let f = folder();
    let mut options = NodeOptions::default();
    options.limits.quarantined = 2;
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let s = spec("a", &[identity(1).id()]);
    let db = open_database(&node, &s);
    let log = s.address().unwrap();
    for n in 10..12 {
        recv(&node, db, &[], vec![put_entry(&identity(n), log, "spam", &[], 1).bytes().to_vec()]).unwrap();
    }
    recv(&node, db, &[], vec![put_entry(&identity(1), log, "real", &[], 1).bytes().to_vec()]).unwrap();

    let mine = identity(1).hash();
    assert!(node.snapshot().unwrap().wanted(None, 10).unwrap().contains(&Wanted::Identity(mine)));
}

/// A refused entry in an encrypted block cuts off what lies before it.
#[test]
fn sealed_refused_has_no_links() {
    let f = folder();
    let alice = identity(1);
    let s = spec("a", &[alice.id()]);
    let enc = Encryption { data: None, replication: Some(Arc::new(XChaCha20Cipher::generate().unwrap())) };
    let mut options = NodeOptions::default();
    options.encryptions.insert(s.address().unwrap(), enc.clone());
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let db = open_database(&node, &s);
    let log = s.address().unwrap();
    let first = put_entry(&alice, log, "1", &[], 1).seal(&enc).unwrap();
    let mut forged = put_entry(&alice, log, "forged", &[first.hash()], 2).bytes().to_vec();
    let at = forged.windows(3).position(|w| w == b"sig").unwrap();
    forged[at + 41] = if forged[at + 41] == b'0' { b'1' } else { b'0' };
    let forged = enc.seal_block(forged).unwrap();
    let e = put_entry(&alice, log, "e", &[Hash::of(&forged)], 3).seal(&enc).unwrap();
    recv(&node, db, &[&alice], vec![forged, e.block().to_vec()]).unwrap();

    assert_eq!(node.snapshot().unwrap().wanted(None, 10).unwrap(), [Wanted::Entry(db, first.hash())]);
}

/// An entry that is in the log comes again while the key is away, and then the key comes.
#[test]
fn old_entry_without_key() {
    let f = folder();
    let alice = identity(1);
    let s = spec("a", &[alice.id()]);
    let enc = Encryption { data: None, replication: Some(Arc::new(XChaCha20Cipher::generate().unwrap())) };
    let mut options = NodeOptions::default();
    options.encryptions.insert(s.address().unwrap(), enc.clone());
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let db = open_database(&node, &s);
    let al = alice.clone();
    let hashes =
        job_error(write(&node, move |w| (1..4).map(|n| w.put(db, &al, record(n, []))).collect::<Result<Vec<_>, _>>()))
            .unwrap();
    let block = node.snapshot().unwrap().block(&hashes[0]).unwrap().unwrap().to_vec();
    crate::support::close(&node);
    drop(node);
    let node = open(f.path());
    drop(recv(&node, db, &[], vec![block]));
    block_on(node.set_encryption(db, enc)).unwrap();
    block_on(node.settle());
    let sn = node.snapshot().unwrap();

    assert_eq!(sn.heads(db).unwrap(), [hashes[2]]);
}

/// Another limit, and the rebuilt state differs.
#[test]
fn jump_not_in_fingerprint() {
    let f = folder();
    let (alice, mallory) = (identity(1), identity(3));
    let mut options = NodeOptions::default();
    options.limits.jump = 10;
    let node = Node::open(f.path(), options, Arc::new(Words)).unwrap();
    let s = spec("a", &[alice.id()]);
    let db = open_database(&node, &s);
    let x = put_entry(&mallory, s.address().unwrap(), "x", &[], 100);
    drop(recv(&node, db, &[&mallory], vec![x.bytes().to_vec()]).unwrap().held);
    crate::support::close(&node);
    drop(node);
    let node = open(f.path());
    let r = node.verify().unwrap();

    assert!(r.is_clean());
}

/// A walk over a forged entry stops the judging of everything.
#[test]
fn frontier_walk_over_garbage() {
    let f = folder();
    let node = open(f.path());
    let (admin, anna, ben, carl) = (identity(1), identity(2), identity(3), identity(4));
    let s = team_spec(&admin);
    let (db, access) = granted(&node, &s, &admin, &[&anna, &ben]);
    let log = s.address().unwrap();
    let g = garbage(log);
    let e = put_entry(&ben, log, "e", &[Hash::of(&g)], 5);
    drop(recv(&node, db, &[&ben], vec![g, e.bytes().to_vec()]).unwrap());
    revoke(&node, access, &admin, &anna);
    drop(recv(&node, db, &[&anna], vec![put_entry(&anna, log, "late", &[], 1).bytes().to_vec()]).unwrap());
    // another database
    let so = spec("other", &[carl.id()]);
    let other = open_database(&node, &so);
    let e = put_entry(&carl, so.address().unwrap(), "c", &[], 1);
    recv(&node, other, &[], vec![e.bytes().to_vec()]).unwrap();
    block_on(node.add_identities(vec![carl.bytes().to_vec()])).unwrap();
    block_on(node.settle());
    let sn = node.snapshot().unwrap();

    assert_eq!(sn.heads(other).unwrap(), [e.hash()]);
}
