//! Entries that cannot join, or not yet: they are held back, told of, and judged again.

use crate::support::{close, folder, job_error, open, open_database, record, spec, verify, write};
use debros_orbit::{
    Address, DatabaseId, Entry, Hash, Hold, Identity, JoinError, LimitError, Limits, Node, NodeOptions, Payload,
    ReadDocuments, SigningKey, Wanted,
};
use futures::executor::block_on;
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

fn identity(n: u8) -> Identity {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    Identity::new(&key(n), key(100 + n))
}

/// A and B may write, mallory may not.
struct Scene {
    folder: tempfile::TempDir,
    node: Node,
    db: DatabaseId,
    log: Address,
    a: Identity,
    b: Identity,
    mallory: Identity,
}

fn scene() -> Scene {
    let (folder, a, b) = (folder(), identity(1), identity(2));
    let node = open(folder.path());
    let spec = spec("d", &[a.id(), b.id()]);
    let db = open_database(&node, &spec);
    Scene { folder, node, db, log: spec.address().unwrap(), a, b, mallory: identity(3) }
}

impl Scene {
    fn entry(&self, by: &Identity, id: &str, next: &[&Entry], time: u64) -> Entry {
        let next: Vec<Hash> = next.iter().map(|entry| entry.hash()).collect();
        let payload = Payload::put(id.into(), record(id, []).into()).into_value();
        Entry::create(by, self.log, payload, &next, &[], time).unwrap()
    }

    fn identities(&self) -> Vec<Vec<u8>> {
        [&self.a, &self.b, &self.mallory].map(|identity| identity.bytes().to_vec()).to_vec()
    }

    /// Joined, held, and not kept.
    fn receive(&self, entries: &[&[u8]]) -> (u64, Vec<Hold>, Vec<JoinError>) {
        let entries = entries.iter().map(|&entry| entry.to_vec()).collect();
        let receipt = block_on(self.node.receive(self.db, "12D3peer", self.identities(), entries)).unwrap();
        block_on(self.node.settle());
        let held = receipt.held.into_iter().map(|(_, hold)| hold).collect();
        (receipt.joined, held, receipt.not_kept.into_iter().map(|(_, error)| error).collect())
    }

    fn heads(&self) -> Vec<Hash> {
        self.node.snapshot().unwrap().heads(self.db).unwrap()
    }

    fn held(&self) -> Vec<(Hash, Hold)> {
        let snapshot = self.node.snapshot().unwrap();
        let held = snapshot.held(None).map(Result::unwrap);
        held.map(|held| (held.hash, held.hold)).collect()
    }

    fn wanted(&self) -> Vec<Hash> {
        let wanted = self.node.snapshot().unwrap().wanted(Some(self.db), 100).unwrap();
        wanted.iter().map(Wanted::hash).collect()
    }

    fn reopen(&mut self) {
        close(&self.node);
        self.node = open(self.folder.path());
    }
}

#[test]
fn what_comes_before_its_ancestors_waits_for_them() {
    let mut s = scene();
    let one = s.entry(&s.a, "1", &[], 1);
    let two = s.entry(&s.b, "2", &[&one], 2);
    let three = s.entry(&s.a, "3", &[&two], 3);
    assert_eq!(s.receive(&[three.bytes()]).1, [Hold::Missing]);
    assert_eq!((s.heads(), s.wanted()), (vec![], vec![two.hash()]));
    s.reopen();
    assert_eq!(s.held(), [(three.hash(), Hold::Missing)]);
    s.receive(&[two.bytes()]);
    assert_eq!((s.heads(), s.wanted()), (vec![], vec![one.hash()]));
    // local writes go on meanwhile
    crate::support::put(&s.node, s.db, &s.a, record("local", [])).unwrap();
    let local = s.heads();
    assert_eq!(s.receive(&[one.bytes()]).0, 1);
    assert_eq!((s.held(), s.wanted()), (vec![], vec![]));
    assert_eq!(s.heads(), [three.hash(), local[0]]);
    verify(&s.node);
    let (joined, held, errors) = s.receive(&[one.bytes(), two.bytes(), three.bytes()]);
    assert_eq!((joined, held.len(), errors.len()), (0, 0, 0), "all are known");
    s.reopen();
    verify(&s.node);
}

#[test]
fn any_order_in_one_delivery_is_as_good_as_another() {
    let s = scene();
    let one = s.entry(&s.a, "1", &[], 1);
    let two = s.entry(&s.b, "2", &[&one], 2);
    let three = s.entry(&s.a, "3", &[&two], 3);
    assert_eq!(s.receive(&[three.bytes(), one.bytes(), two.bytes()]).0, 3);
    assert_eq!(s.heads(), [three.hash()]);
}

#[test]
fn an_identity_that_comes_late_is_waited_for() {
    let s = scene();
    let one = s.entry(&s.a, "1", &[], 1);
    let two = s.entry(&s.b, "2", &[&one], 2);
    let entries = vec![one.bytes().to_vec(), two.bytes().to_vec()];
    let receipt = block_on(s.node.receive(s.db, "p", vec![s.b.bytes().to_vec()], entries)).unwrap();
    let held: Vec<Hold> = receipt.held.into_iter().map(|(_, hold)| hold).collect();
    assert_eq!(held, [Hold::Identity(s.a.hash()), Hold::Missing]);
    assert_eq!(s.node.snapshot().unwrap().wanted(None, 9).unwrap(), [Wanted::Identity(s.a.hash())]);
    block_on(s.node.receive(s.db, "p", vec![s.a.bytes().to_vec()], vec![])).unwrap();
    block_on(s.node.settle());
    assert_eq!((s.heads(), s.held()), (vec![two.hash()], vec![]));
    verify(&s.node);
}

#[test]
fn what_builds_on_refused_entries_joins() {
    let mut s = scene();
    let one = s.entry(&s.a, "1", &[], 1);
    // by a stranger, on something real; then more of its kind, and garbage among it
    let strange = s.entry(&s.mallory, "x", &[&one], 2);
    let stranger = s.entry(&s.mallory, "y", &[&strange], 3);
    let mut forged = s.entry(&s.a, "z", &[&stranger], 4).into_bytes();
    let at = forged.windows(3).position(|window| window == b"sig").unwrap();
    // another digit of the signature, which stays a well-formed text
    forged[at + 40] = if forged[at + 40] == b'0' { b'1' } else { b'0' };
    let next = [Hash::of(&forged)];
    let payload = Payload::put("2".into(), record("2", []).into()).into_value();
    let two = Entry::create(&s.b, s.log, payload, &next, &[], 5).unwrap();

    // newest first, as one who fetches walks: each is needed by what came before
    assert_eq!(s.receive(&[two.bytes()]).1, [Hold::Missing]);
    assert_eq!(s.wanted(), next);
    assert!(matches!(&s.receive(&[&forged]).1[..], [Hold::Refused { reason }] if reason.contains("signature")));
    assert_eq!(s.wanted(), [stranger.hash()]);
    let denied = Hold::Denied { user: s.mallory.id().to_owned() };
    assert_eq!(s.receive(&[stranger.bytes()]).1, std::slice::from_ref(&denied));
    assert_eq!(s.wanted(), [strange.hash()]);
    s.reopen();
    assert_eq!(s.receive(&[strange.bytes()]).1, std::slice::from_ref(&denied));
    assert_eq!((s.wanted(), s.heads()), (vec![one.hash()], vec![]));
    s.receive(&[one.bytes()]);
    assert_eq!(s.heads(), [two.hash(), one.hash()], "neither of them follows the other by an entry of the log");
    let held = s.held();
    assert_eq!(held.len(), 3);
    let snapshot = s.node.snapshot().unwrap();
    let told = snapshot.held(Some(s.db)).map(Result::unwrap).find(|held| held.hash == strange.hash()).unwrap();
    assert_eq!((told.from.as_str(), &told.hold, told.needed, told.missing), ("12D3peer", &denied, true, 0));
    assert!(told.since > 1_700_000_000_000 && told.bytes as usize == strange.bytes().len());
    verify(&s.node);
    // and it is so for one who gets it oldest first
    let other = scene();
    other.receive(&[one.bytes(), strange.bytes(), stranger.bytes(), &forged, two.bytes()]);
    assert_eq!(other.heads(), s.heads());
    let hash = |s: &Scene| s.node.snapshot().unwrap().state_hash(s.db).unwrap();
    assert_eq!(hash(&other), hash(&s));
}

#[test]
fn nobody_fetches_for_those_who_may_not_write() {
    let s = scene();
    let one = s.entry(&s.mallory, "1", &[], 1);
    let two = s.entry(&s.mallory, "2", &[&one], 2);
    s.receive(&[two.bytes()]);
    assert_eq!(s.wanted(), []);
}

#[test]
fn what_is_held_back_is_bounded() {
    let folder = folder();
    let mut options = NodeOptions::default();
    options.limits.quarantined = 3;
    options.limits.pending = 2;
    options.limits.jump = 10;
    options.limits.depth = 8;
    options.limits.entry_bytes = 4_000;
    options.limits.heads = 5;
    let mut s = scene();
    s.node = Node::open(folder.path(), options, Arc::new(crate::support::Words)).unwrap();
    s.db = open_database(&s.node, &spec("d", &[s.a.id(), s.b.id()]));
    s.folder = folder;

    let junk: Vec<Entry> = (1..=5).map(|n| s.entry(&s.mallory, "x", &[], n)).collect();
    let (_, held, errors) = s.receive(&junk.iter().map(Entry::bytes).collect::<Vec<_>>());
    assert_eq!((held.len(), errors.len()), (3, 2));
    assert!(errors[0].to_string().contains("`quarantined`"), "{}", errors[0]);
    let away = s.entry(&s.b, "away", &[], 1);
    let pending: Vec<Entry> = (2..6).map(|n| s.entry(&s.a, "p", &[&away], n)).collect();
    let (_, held, errors) = s.receive(&pending.iter().map(Entry::bytes).collect::<Vec<_>>());
    assert_eq!((held.len(), errors.len()), (2, 2));
    assert!(matches!(errors[0], JoinError::Limit(LimitError::Pending { max: 2, .. })), "{}", errors[0]);
    // what is needed is not counted
    let one = s.entry(&s.mallory, "1", &[], 1);
    let two = s.entry(&s.a, "2", &[&one], 2);
    let (joined, held, _) = s.receive(&[two.bytes(), one.bytes()]);
    assert_eq!((joined, held.len()), (1, 1));
    // forgetting makes room
    let (db, hash) = (s.db, junk[0].hash());
    assert!(job_error(write(&s.node, move |w| w.forget(db, hash))).unwrap());
    assert!(!s.held().iter().any(|(held, _)| *held == hash));
    assert_eq!(s.receive(&[junk[4].bytes()]).1.len(), 1);
    assert_eq!(s.receive(&[junk[0].bytes()]).2.len(), 1, "full again");
    // what is refused for another reason has room of its own
    let far = s.entry(&s.a, "far", &[&two], 13);
    assert!(matches!(&s.receive(&[far.bytes()]).1[..], [Hold::Refused { reason }] if reason.contains("`jump`")));
    let large = s.entry(&s.a, &"x".repeat(1_900), &[&two], 3);
    assert!(matches!(s.receive(&[large.bytes()]).2[..], [JoinError::Limit(LimitError::EntryBytes { max: 4_000, .. })]));
    for n in 0..6 {
        let beside = s.entry(&s.b, &format!("h{n}"), &[], 1);
        let (joined, _, errors) = s.receive(&[beside.bytes()]);
        if n < 4 {
            assert_eq!(joined, 1);
        } else {
            assert!(errors[0].to_string().contains("`heads`"), "{}", errors[0]);
        }
    }
    verify(&s.node);
    assert_eq!(Limits::default().jump, debros_orbit::MAX_JUMP);
}

#[test]
fn a_clock_beyond_the_jump_is_refused_and_does_not_count_for_what_follows() {
    let s = scene();
    let one = s.entry(&s.a, "1", &[], 1);
    let far = s.entry(&s.b, "2", &[&one], 2 + debros_orbit::MAX_JUMP);
    let (_, held, _) = s.receive(&[one.bytes(), far.bytes()]);
    assert!(matches!(&held[..], [Hold::Refused { reason }] if reason.contains("ahead")), "{held:?}");
    let more = s.entry(&s.a, "3", &[&far, &one], 2);
    assert_eq!(s.receive(&[more.bytes()]).0, 1);
    let beyond = s.entry(&s.a, "4", &[&far], 3 + debros_orbit::MAX_JUMP);
    assert!(matches!(&s.receive(&[beyond.bytes()]).1[..], [Hold::Refused { .. }]));
    assert_eq!(s.heads(), [more.hash()]);
    verify(&s.node);
}

#[test]
fn garbage_of_any_shape_is_told_of_and_harmless() {
    let s = scene();
    let good = s.entry(&s.a, "1", &[], 1);
    let other_log = Entry::create(&s.a, Address::of(Hash::of(b"x")), good.payload().clone(), &[], &[], 1).unwrap();
    let mut cut = good.bytes().to_vec();
    cut.truncate(100);
    let (joined, held, errors) =
        s.receive(&[b"", b"\xff", &[0x9f; 300], &cut, other_log.bytes(), good.bytes(), &vec![0; 5 << 20]]);
    assert_eq!((joined, held.len(), errors.len()), (1, 4, 2), "{held:?} {errors:?}");
    verify(&s.node);
}

#[derive(Clone, Debug)]
enum Make {
    /// By whom (the third may not write), and which of the entries before it follows.
    Entry { by: usize, next: Vec<prop::sample::Index> },
    /// The same with a byte changed.
    Forged { by: usize, next: Vec<prop::sample::Index> },
}

fn makes() -> impl Strategy<Value = Vec<Make>> {
    let links = || prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    let entry = (0..3usize, links()).prop_map(|(by, next)| Make::Entry { by, next });
    let forged = (0..2usize, links()).prop_map(|(by, next)| Make::Forged { by, next });
    prop::collection::vec(prop_oneof![5 => entry, 1 => forged], 1..24)
}

struct Made {
    bytes: Vec<u8>,
    hash: Hash,
    next: Vec<Hash>,
    time: u64,
    accepted: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Whatever is received, in whatever order and pieces, with identities late and the node reopened in between: the log
    /// is what may join, its heads are those that nothing in it follows, and replicas agree.
    #[test]
    fn replicas_agree_about_what_joins(
        makes in makes(),
        seed in any::<u64>(),
        pieces in prop::collection::vec(1..6usize, 1..12),
        late in any::<[bool; 3]>(),
    ) {
        let mut s = scene();
        let mut made: Vec<Made> = Vec::new();
        for (n, make) in makes.iter().enumerate() {
            let (Make::Entry { by, next } | Make::Forged { by, next }) = make;
            let chosen: BTreeSet<usize> = next.iter().filter(|_| n > 0).map(|next| next.index(n)).collect();
            let next: Vec<Hash> = chosen.iter().map(|&at| made[at].hash).collect();
            let time = chosen.iter().map(|&at| made[at].time).max().unwrap_or(0) + 1;
            let writer = [&s.a, &s.b, &s.mallory][*by];
            let id = format!("{}", n % 5);
            let payload = Payload::put(id.as_str().into(), record(id.as_str(), [("n", (n as u32).into())]).into());
            let mut bytes = Entry::create(writer, s.log, payload.into_value(), &next, &[], time).unwrap().into_bytes();
            let forged = matches!(make, Make::Forged { .. });
            if forged {
                let at = bytes.windows(3).position(|window| window == b"sig").unwrap();
                bytes[at + 41] = if bytes[at + 41] == b'0' { b'1' } else { b'0' };
            }
            made.push(Made { hash: Hash::of(&bytes), bytes, next, time, accepted: !forged && *by < 2 });
        }
        // what nothing that joins builds on may not be here in full, so that one sends all
        let mut order: Vec<usize> = (0..made.len()).collect();
        let mut seed = seed;
        for at in (1..order.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (seed >> 33) as usize % (at + 1));
        }
        let identities = s.identities();
        let (early, tardy): (Vec<_>, Vec<_>) = identities.into_iter().zip(late).partition(|(_, late)| !late);
        let blocks = |some: Vec<(Vec<u8>, bool)>| some.into_iter().map(|(block, _)| block).collect::<Vec<_>>();
        let early = blocks(early);
        let mut rest = &order[..];
        for (n, piece) in pieces.iter().cycle().enumerate() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            let entries = now.iter().map(|&at| made[at].bytes.clone()).collect();
            block_on(s.node.receive(s.db, "p", early.clone(), entries)).unwrap();
            if n % 4 == 3 {
                s.reopen();
            }
            rest = later;
        }
        block_on(s.node.receive(s.db, "p", blocks(tardy), vec![])).unwrap();
        block_on(s.node.settle());
        verify(&s.node);
        let in_log: Vec<&Made> = made.iter().filter(|made| made.accepted).collect();
        let mut heads: Vec<Hash> =
            in_log.iter().filter(|head| !in_log.iter().any(|made| made.next.contains(&head.hash))).map(|m| m.hash).collect();
        heads.sort();
        let mut ours = s.heads();
        ours.sort();
        prop_assert_eq!(ours, heads);
        let snapshot = s.node.snapshot().unwrap();
        prop_assert_eq!(snapshot.entries(s.db).unwrap(), in_log.len() as u64);
        prop_assert_eq!(s.held().len(), made.len() - in_log.len());
        prop_assert_eq!(s.wanted(), vec![]);

        // one who gets the same in the order in which it was made
        let straight = scene();
        let entries: Vec<&[u8]> = made.iter().map(|made| &made.bytes[..]).collect();
        straight.receive(&entries);
        let theirs = straight.node.snapshot().unwrap();
        prop_assert_eq!(snapshot.state_hash(s.db).unwrap(), theirs.state_hash(straight.db).unwrap());
    }
}
