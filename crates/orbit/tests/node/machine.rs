//! Nodes of one to six writers, two of them devices of one user, that write, meet, lose each other's messages and are reopened
//! in any order: each has the heads, the order and the state of a naive model of its log, and its feed tells how it came to it.

use crate::{
    feed::{Mirror, all_changes, changes},
    support::{close, folder, key, open, open_database, record, spec, verify, write},
};
use debros_core::Value;
use debros_orbit::{
    DatabaseId, DatabaseKind, DatabaseSpec, Entry, EventRange, FeedPosition, Hash, Identity, Node, Payload,
    ReadDocuments, SigningKey,
};
use futures::executor::block_on;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::collections::{BTreeMap, HashSet};
use tempfile::TempDir;

#[derive(Clone, Debug)]
enum Act {
    Put {
        node: usize,
        id: u8,
    },
    Del {
        node: usize,
        id: u8,
    },
    Add {
        node: usize,
    },
    /// `to` gets what `from` has, in an order and pieces that follow from `seed`; some of it is lost.
    Meet {
        to: usize,
        from: usize,
        seed: u64,
    },
    Reopen {
        node: usize,
    },
}

/// An entry, as the model knows it: by a number, which stands for its hash.
#[derive(Clone, Debug)]
struct Naive {
    time: u64,
    writer: usize,
    next: Vec<usize>,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Put(u8),
    Del(u8),
    Add,
}

/// What each node must have: the entries, by number, of its two logs, the second of which is of events.
#[derive(Clone, Debug)]
struct Model {
    entries: Vec<Naive>,
    logs: Vec<[HashSet<usize>; 2]>,
    /// All that each node was ever sent: what lacks something waits for it.
    sent: Vec<[HashSet<usize>; 2]>,
}

impl Model {
    fn heads(&self, node: usize, log: usize) -> Vec<usize> {
        let log = &self.logs[node][log];
        let followed: HashSet<usize> = log.iter().flat_map(|&n| self.entries[n].next.iter().copied()).collect();
        log.iter().copied().filter(|n| !followed.contains(n)).collect()
    }

    fn append(&mut self, node: usize, log: usize, what: What) {
        let next = self.heads(node, log);
        let time = next.iter().map(|&n| self.entries[n].time).max().unwrap_or(0) + 1;
        self.entries.push(Naive { time, writer: node, next, what });
        self.logs[node][log].insert(self.entries.len() - 1);
    }

    /// What a key holds: the last put or deletion, by time and the writer's key.
    fn holds(&self, node: usize, id: u8) -> Option<usize> {
        let keys = keys();
        let of_key = |n: &&usize| matches!(self.entries[**n].what, What::Put(of) | What::Del(of) if of == id);
        let last = self.logs[node][0].iter().filter(of_key).max_by_key(|&&n| {
            let entry = &self.entries[n];
            (entry.time, keys[entry.writer].clone())
        });
        last.copied().filter(|&n| matches!(self.entries[n].what, What::Put(_)))
    }

    /// A node gets some entries.
    fn deliver(&mut self, to: usize, log: usize, entries: &[usize]) {
        self.sent[to][log].extend(entries);
        let mut sent: Vec<usize> = self.sent[to][log].iter().copied().collect();
        sent.sort_unstable();
        // numbers grow along a log
        for n in sent {
            if self.entries[n].next.iter().all(|next| self.logs[to][log].contains(next)) {
                self.logs[to][log].insert(n);
            }
        }
    }
}

/// An order of so many, and which of them are lost.
fn shuffled(all: &HashSet<usize>, mut seed: u64) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = all.iter().copied().collect();
    order.sort_unstable();
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    for at in (1..order.len()).rev() {
        order.swap(at, random(at + 1));
    }
    // now and then something is lost, and comes with the next meeting
    if random(3) == 0 {
        order.truncate(order.len() - random(order.len().min(3) + 1).min(order.len()));
    }
    (order, 1 + random(5))
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Model> {
        let logs = |nodes| vec![Default::default(); nodes];
        (1..=6usize).prop_map(move |nodes| Model { entries: Vec::new(), logs: logs(nodes), sent: logs(nodes) }).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Act> {
        let nodes = model.logs.len();
        prop_oneof![
            4 => (0..nodes, 1..4u8).prop_map(|(node, id)| Act::Put { node, id }),
            2 => (0..nodes, 1..4u8).prop_map(|(node, id)| Act::Del { node, id }),
            2 => (0..nodes).prop_map(|node| Act::Add { node }),
            4 => (0..nodes, 0..nodes, any::<u64>()).prop_map(|(to, from, seed)| Act::Meet { to, from, seed }),
            1 => (0..nodes).prop_map(|node| Act::Reopen { node }),
        ]
        .boxed()
    }

    fn preconditions(model: &Model, act: &Act) -> bool {
        match act {
            // only what is there can be deleted
            Act::Del { node, id } => model.logs.len() > *node && model.holds(*node, *id).is_some(),
            Act::Put { node, .. } | Act::Add { node } | Act::Reopen { node } => model.logs.len() > *node,
            Act::Meet { to, from, .. } => model.logs.len() > *to.max(from),
        }
    }

    fn apply(mut model: Model, act: &Act) -> Model {
        match *act {
            Act::Put { node, id } => model.append(node, 0, What::Put(id)),
            Act::Del { node, id } => model.append(node, 0, What::Del(id)),
            Act::Add { node } => model.append(node, 1, What::Add),
            Act::Meet { to, from, seed } => {
                for log in 0..2 {
                    let (order, _) = shuffled(&model.logs[from][log], seed);
                    model.deliver(to, log, &order);
                }
            }
            Act::Reopen { .. } => {}
        }
        model
    }
}

/// The writers; the second and the third are devices of one user.
fn writers() -> Vec<Identity> {
    let key = |n| SigningKey::from_bytes(&[n; 32]).unwrap();
    [(1, 11), (2, 12), (2, 13), (4, 14), (5, 15), (6, 16)]
        .map(|(user, device)| Identity::new(&key(user), key(device)))
        .into()
}

fn keys() -> Vec<String> {
    writers().iter().map(|writer| writer.public_key().to_owned()).collect()
}

struct One {
    folder: TempDir,
    node: Node,
    logs: [DatabaseId; 2],
    /// What somebody holds who follows its feed, and how far that is.
    follower: Mirror,
    position: FeedPosition,
}

struct All {
    nodes: Vec<One>,
    /// The hashes of the model's entries.
    hashes: Vec<Hash>,
}

fn databases() -> [DatabaseSpec; 2] {
    let events = DatabaseSpec { tag: b"plain".to_vec(), ..spec("events", &["*"]).of_kind(DatabaseKind::Events) };
    [spec("documents", &["*"]), events]
}

impl One {
    fn block(&self, hash: &Hash) -> Vec<u8> {
        self.node.snapshot().unwrap().block(hash).unwrap().unwrap().to_vec()
    }
}

impl StateMachineTest for Machine {
    type SystemUnderTest = All;
    type Reference = Machine;

    fn init_test(model: &Model) -> All {
        let nodes = model.logs.iter().map(|_| {
            let folder = folder();
            let node = open(folder.path());
            let logs = databases().map(|spec| open_database(&node, &spec));
            let position = node.feed_start().unwrap();
            One { folder, node, logs, follower: Mirror::default(), position }
        });
        All { nodes: nodes.collect(), hashes: Vec::new() }
    }

    fn apply(mut all: All, _: &Model, act: Act) -> All {
        let append = |all: &mut All, node: usize, log: usize, payload: Payload| {
            let One { node: here, logs, .. } = &all.nodes[node];
            let (writer, log) = (writers()[node].clone(), logs[log]);
            let hash = write(here, move |w| w.append(log, &writer, payload));
            all.hashes.push(hash.unwrap());
        };
        match act {
            Act::Put { node, id } => {
                let n = all.hashes.len() as u32;
                append(&mut all, node, 0, Payload::put(id.into(), record(id, [("w", n.into())]).into()));
            }
            Act::Del { node, id } => append(&mut all, node, 0, Payload::del(id.into())),
            Act::Add { node } => append(&mut all, node, 1, Payload::add("event".into())),
            Act::Meet { to, from, seed } => {
                let identities: Vec<Vec<u8>> = writers().iter().map(|writer| writer.bytes().to_vec()).collect();
                for log in 0..2 {
                    let sent: HashSet<usize> = Self::sent(&all, from, log);
                    let (order, piece) = shuffled(&sent, seed);
                    for part in order.chunks(piece) {
                        let entries = part.iter().map(|&n| all.nodes[from].block(&all.hashes[n])).collect();
                        let here = &all.nodes[to];
                        block_on(here.node.receive(here.logs[log], "peer", identities.clone(), entries)).unwrap();
                    }
                    block_on(all.nodes[to].node.settle());
                }
            }
            Act::Reopen { node } => {
                let one = &mut all.nodes[node];
                close(&one.node);
                one.node = open(one.folder.path());
                // follows it now and then only, and not to the end
                let mut feed = one.node.feed(&one.position).unwrap();
                for change in feed.read(5, |_, _| Ok(true)).unwrap().changes {
                    one.follower.apply(&feed, &change);
                }
                one.position = feed.position();
            }
        }
        all
    }

    fn check_invariants(all: &All, model: &Model) {
        for (node, one) in all.nodes.iter().enumerate() {
            let snapshot = one.node.snapshot().unwrap();
            // whoever follows the feed from its beginning has what is there, nothing more and nothing less
            let rows = (1..4u8).filter_map(|id| model.holds(node, id)).map(|n| Value::from(n as u32));
            let mirror = Mirror::of(&one.node);
            let (rows, events) = (rows.collect::<Vec<_>>(), model.logs[node][1].len());
            let held = |log: usize| mirror.0.iter().filter(move |((database, _), _)| *database == one.logs[log]);
            let held_rows = held(0).map(|(_, value)| value.as_map().unwrap().field("w").clone());
            assert_eq!((held_rows.collect::<Vec<_>>(), held(1).count()), (rows, events));
            // and whoever stopped somewhere comes to the same
            let mut later = one.follower.clone();
            let feed = one.node.feed(&one.position).unwrap();
            for change in changes(&one.node, &one.position) {
                later.apply(&feed, &change);
            }
            assert_eq!(later, mirror);
            for log in 0..2 {
                let mut expected: Vec<Hash> = model.heads(node, log).into_iter().map(|n| all.hashes[n]).collect();
                let clock = |hash: &Hash| Entry::decode(&one.block(hash)).unwrap().clock();
                expected.sort_by_key(|hash| std::cmp::Reverse(clock(hash)));
                assert_eq!(snapshot.heads(one.logs[log]).unwrap(), expected);
                assert_eq!(snapshot.entries(one.logs[log]).unwrap(), model.logs[node][log].len() as u64);
            }
            for id in 1..4u8 {
                let found = snapshot.get(one.logs[0], &key(id)).unwrap();
                let expected = model.holds(node, id).map(|n| Value::from(n as u32));
                assert_eq!(found.map(|found| found.record.field("w").clone()), expected);
            }
            let mut order: Vec<usize> = model.logs[node][1].iter().copied().collect();
            let keys = keys();
            order.sort_by_key(|&n| std::cmp::Reverse((model.entries[n].time, &keys[model.entries[n].writer])));
            let events = snapshot.events(one.logs[1], &EventRange::all()).unwrap();
            let events: Vec<Hash> = events.map(|event| event.unwrap().hash).collect();
            assert_eq!(events, order.iter().map(|&n| all.hashes[n]).collect::<Vec<_>>());
        }
    }

    fn teardown(all: All, model: Model) {
        // those with the same entries have the same state
        let mut states: BTreeMap<Vec<usize>, [u8; 32]> = BTreeMap::new();
        for (node, one) in all.nodes.iter().enumerate() {
            verify(&one.node);
            // from every position, what is told is what comes behind it
            let told = all_changes(&one.node);
            for (n, change) in told.iter().enumerate() {
                assert_eq!(changes(&one.node, &change.position), told[n + 1..]);
                let written_here = change.clock.id.to_string() == keys()[node];
                assert_eq!(change.is_local, written_here);
            }
            let mut log: Vec<usize> = model.logs[node][0].iter().copied().collect();
            log.sort_unstable();
            let state = one.node.snapshot().unwrap().state_hash(one.logs[0]).unwrap();
            assert_eq!(*states.entry(log).or_insert(state), state);
        }
    }
}

impl Machine {
    /// The numbers of the entries in a node's log.
    fn sent(all: &All, node: usize, log: usize) -> HashSet<usize> {
        let one = &all.nodes[node];
        let mut list = one.node.snapshot().unwrap().heads(one.logs[log]).unwrap();
        let mut sent = HashSet::new();
        while let Some(hash) = list.pop() {
            let number = all.hashes.iter().position(|known| *known == hash).unwrap();
            if sent.insert(number) {
                list.extend(Entry::decode(&one.block(&hash)).unwrap().next());
            }
        }
        sent
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn nodes_have_what_a_naive_model_has(sequential 1..40 => Machine);
}
