//! Entries of several writers, who see each other's work late or never, joined in different orders: every replica ends
//! with the same state.

use crate::support::{folder, open, open_database, record, spec, verify, write};
use debros_core::Value;
use debros_orbit::{
    DatabaseSpec, Entry, Hash, Identity, JoinError, Log, Payload, ProblemKind, ReadDocuments, SigningKey,
};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

#[derive(Clone, Debug)]
enum Act {
    Put {
        writer: usize,
        id: u8,
        bad: bool,
    },
    Del {
        writer: usize,
        id: u8,
    },
    /// The first takes over what the second has.
    Meet(usize, usize),
}

pub(crate) const WRITERS: usize = 4;

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let put = (0..WRITERS, 1..4u8, any::<bool>()).prop_map(|(writer, id, bad)| Act::Put { writer, id, bad });
    let del = (0..WRITERS, 1..4u8).prop_map(|(writer, id)| Act::Del { writer, id });
    let meet = (0..WRITERS, 0..WRITERS).prop_map(|(a, b)| Act::Meet(a, b));
    proptest::collection::vec(prop_oneof![4 => put, 2 => del, 2 => meet], 1..30)
}

/// The users; the last two are devices of one, and the third a clone of the second, which writes with the same device
/// key.
pub(crate) fn writers() -> Vec<Identity> {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    vec![
        Identity::new(&key(1), key(11)),
        Identity::new(&key(2), key(12)),
        Identity::new(&key(2), key(12)),
        Identity::new(&key(2), key(13)),
    ]
}

/// All entries that come of the acts.
fn entries(acts: &[Act], spec: &DatabaseSpec, writers: &[Identity]) -> HashMap<Hash, Entry> {
    let mut logs = vec![Log::new(spec.address().unwrap()); WRITERS];
    let mut all = HashMap::new();
    for (n, act) in acts.iter().enumerate() {
        let (writer, payload) = match act {
            Act::Put { writer, id, bad } => {
                // where only owners write, each id belongs to one user, and what others put there is refused
                let owner = writers[usize::from(*id) - 1].id();
                let mut record = record(*id, [("w", (n as u32).into()), ("owner", owner.into())]);
                if *bad {
                    record.insert("bad", true);
                }
                (*writer, Payload::put((*id).into(), record.into()))
            }
            Act::Del { writer, id } => (*writer, Payload::del((*id).into())),
            Act::Meet(to, from) => {
                let mut theirs: Vec<Entry> = logs[*from].traverse().cloned().collect();
                theirs.sort_by_key(|entry| entry.clock().time);
                for entry in theirs {
                    logs[*to].join(entry).unwrap();
                }
                continue;
            }
        };
        let hash = logs[writer].append(&writers[writer], payload.into_value(), 2).unwrap();
        all.insert(hash, logs[writer].get(&hash).unwrap().clone());
    }
    all
}

/// An order in which ancestors come first, one of many.
pub(crate) fn order(entries: &HashMap<Hash, Entry>, mut seed: u64) -> Vec<Entry> {
    let mut waiting: BTreeSet<Hash> = entries.keys().copied().collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready: Vec<Hash> = waiting
            .iter()
            .filter(|hash| entries[hash].next().iter().chain(entries[hash].refs()).all(|h| !waiting.contains(h)))
            .copied()
            .collect();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let hash = ready[(seed >> 33) as usize % ready.len()];
        waiting.remove(&hash);
        order.push(entries[&hash].clone());
    }
    order
}

/// What everyone should agree on.
fn state(spec: &DatabaseSpec, entries: &[Entry], writers: &[Identity]) -> (Vec<Hash>, Vec<String>) {
    let folder = folder();
    let node = open(folder.path());
    let db = open_database(&node, spec);
    let (entries, writers) = (entries.to_vec(), writers.to_vec());
    write(&node, move |w| {
        for writer in writers {
            w.add_identity(writer.bytes())?;
        }
        for entry in entries {
            assert!(w.join(db, entry.bytes())?);
        }
        Ok::<(), JoinError>(())
    })
    .unwrap();
    verify(&node);
    let snapshot = node.snapshot().unwrap();
    let mut rows = vec![format!("{}", snapshot.count(db).unwrap())];
    for id in 1..4u8 {
        let held = snapshot.get(db, &crate::support::key(id)).unwrap();
        rows.push(format!("{:?}", held.map(|h| (h.author, h.first_author, h.record, h.problem))));
    }
    for row in snapshot.scan_index(db, 0, &[], None, false) {
        let row = row.unwrap();
        rows.push(format!("{:?} {:?}", row.bytes(), snapshot.load(row.position).unwrap()));
    }
    rows.extend(snapshot.scan_family("Family", None, &[], None, false).map(|row| format!("{:?}", row.unwrap().key())));
    let problems = snapshot.problems(None).map(Result::unwrap).filter(|problem| problem.kind != ProblemKind::Refused);
    rows.extend(problems.map(|problem| format!("{:?} {}", problem.key, problem.reason)));
    (snapshot.heads(db).unwrap(), rows)
}

/// What plain last-writer-wins over the set of all entries gives.
fn oracle(entries: &HashMap<Hash, Entry>) -> Vec<Option<Value>> {
    let mut sorted: Vec<&Entry> = entries.values().collect();
    sorted.sort_by_key(|entry| (entry.clock(), entry.hash()));
    (1..4u8)
        .map(|id| {
            let of = |entry: &&&Entry| entry.payload().as_map().unwrap().field("key") == &Value::from(id);
            let last = sorted.iter().rfind(of)?;
            let payload = last.payload().as_map().unwrap();
            (payload.field("op").as_text() == Some("PUT")).then(|| payload.field("value").clone())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn replicas_agree(acts in acts(), seeds in [any::<u64>(), any::<u64>()], owner in any::<bool>()) {
        let writers = writers();
        let mut spec = spec("d", &["*"]);
        if owner {
            spec.tag = b"owner".to_vec();
        }
        let entries = entries(&acts, &spec, &writers);
        let [a, b] = seeds.map(|seed| state(&spec, &order(&entries, seed), &writers));
        prop_assert_eq!(&a, &b);
        if !owner {
            let expected = oracle(&entries);
            for (n, row) in expected.iter().enumerate() {
                let held = &a.1[n + 1];
                let record = row.as_ref().map(|row| format!("{:?}", row.as_map().unwrap()));
                match record {
                    None => prop_assert_eq!(held, "None"),
                    Some(record) => prop_assert!(held.contains(&record), "{} is not {}", held, record),
                }
            }
        }
    }
}
