//! Peers that do what no honest one does.

use crate::support::{PATIENCE, Replica, events, keys, notes, until, until_equal};
use debros_ipfs::{BlockSource, Bytes, Cid, Network, NetworkEvents, NetworkKey, NetworkOptions, PeerId, PeerStream};
use debros_orbit::{Address, Entry, Hash, Identity, Payload, ReadDocuments as _, ReplicationEvent, SigningKey};
use futures::AsyncWriteExt as _;
use std::sync::{Arc, Mutex};
use tokio::{sync::watch, time::timeout};

/// Has nothing, and says so or not.
struct Nothing;

impl BlockSource for Nothing {
    fn block(&self, _: &Cid) -> Option<Bytes> {
        None
    }
    fn arrivals(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

async fn hostile(victim: &Replica) -> (Network, NetworkEvents) {
    let (network, events) =
        Network::start(NetworkKey::generate(), NetworkOptions::loopback(), Arc::new(Nothing)).await.unwrap();
    network.dial(victim.replication.addresses().pop().unwrap()).await.unwrap();
    (network, events)
}

/// Begins an exchange.
async fn exchange(evil: &Network, victim: PeerId, about: &Address) -> PeerStream {
    try_exchange(evil, victim, about).await.unwrap()
}

/// `None`, where the other side does not let it.
pub(crate) async fn try_exchange(evil: &Network, victim: PeerId, about: &Address) -> Option<PeerStream> {
    let mut stream = evil.open(victim, "/debros/sync/1").await.ok()?;
    stream.write_all(about.manifest().digest()).await.ok()?;
    Some(stream)
}

/// A message: its length, and a list that begins with its kind.
pub(crate) fn message(kind: u8, lists: &[&[&[u8]]]) -> Vec<u8> {
    let bytes = |major: u8, len: usize| [&[major << 5 | 26][..], &(len as u32).to_be_bytes()].concat();
    let head = |major: u8, len: usize| match len {
        0..24 => vec![major << 5 | len as u8],
        24..0x100 => vec![major << 5 | 24, len as u8],
        0x100..0x1_0000 => [&[major << 5 | 25][..], &(len as u16).to_be_bytes()].concat(),
        _ => bytes(major, len),
    };
    let mut body = [head(4, 1 + lists.len()), vec![kind]].concat();
    for list in lists {
        body.extend(head(4, list.len()));
        for item in *list {
            body.extend(head(2, item.len()));
            body.extend_from_slice(item);
        }
    }
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

/// Tells of a head that nobody has, so that the other side asks for entries.
fn promise() -> Vec<u8> {
    promise_of(&Hash::of(b"nobody's"))
}

pub(crate) fn promise_of(head: &Hash) -> Vec<u8> {
    message(1, &[&[head.digest()]])
}

fn entries(blocks: &[&[u8]]) -> Vec<u8> {
    message(3, &[&[], blocks])
}

fn somebody() -> Identity {
    Identity::new(&SigningKey::generate().unwrap(), SigningKey::generate().unwrap())
}

/// An entry that follows what nobody has.
fn dangling(author: &Identity, log: Address, n: u32) -> Entry {
    let nobodys = Hash::of(&n.to_be_bytes());
    Entry::create(author, log, Payload::add(n.into()).into_value(), &[nobodys], &[], 11).unwrap()
}

/// Two honest replicas still find each other.
async fn go_on(one: &Replica, two: &Replica, before: u64) {
    let events = events();
    one.write(&events, keys("honest", 5)).await;
    two.write(&events, keys("as well", 5)).await;
    until_equal(&[one, two], &events, before + 10).await;
}

#[tokio::test]
async fn garbage_instead_of_heads() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    let database = one.open(&events).await;
    two.open(&events).await;
    let (evil, _events) = hostile(&one).await;
    let address = events.address().unwrap();
    let garbage = [b"hello, is this a head?"; 20].map(|text| &text[..]);
    for garbage in [
        b"".to_vec(),
        b"\xff\xff\xff".to_vec(),
        b"\xff\xff\xff\xff\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\0\0\0\x09\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        // nobody has asked for it; something else than a head; heads twice; the end of what was not asked for
        entries(&garbage),
        message(1, &[&garbage]),
        [promise(), promise()].concat(),
        message(4, &[]),
        message(77, &[]),
        // asked for, and none of it an entry
        [promise(), entries(&garbage), message(4, &[])].concat(),
    ] {
        let mut stream = exchange(&evil, one.replication.id(), &address).await;
        // the other side may have broken off
        let _ = stream.write_all(&garbage).await;
        let _ = stream.close().await;
    }
    one.dial(&two).await;
    go_on(&one, &two, 0).await;
    // at most what decodes as an item is kept, as refused
    assert!(one.replication.sync(database).await.unwrap().held <= 4);
}

#[tokio::test]
async fn streams_without_end() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    one.open(&events).await;
    two.open(&events).await;
    let (evil, _events) = hostile(&one).await;
    let (address, id) = (events.address().unwrap(), one.replication.id());
    for _ in 0..20 {
        let evil_too = evil.clone();
        evil.spawn(async move {
            loop {
                let Some(mut stream) = try_exchange(&evil_too, id, &address).await else { return };
                let mut next = promise();
                // as long as the other side reads
                while stream.write_all(&next).await.is_ok() {
                    next = entries(&[&[0x58; 60_000]]);
                }
            }
        });
        let evil_too = evil.clone();
        evil.spawn(async move {
            // and one that says nothing and stays
            let stream = try_exchange(&evil_too, id, &address).await;
            std::future::pending::<()>().await;
            drop(stream);
        });
    }
    one.dial(&two).await;
    go_on(&one, &two, 0).await;
    one.until_connected(evil.id(), false).await;
    // it may connect, and is thrown out
    let _ = evil.dial(one.replication.addresses().pop().unwrap()).await;
    one.until_connected(evil.id(), false).await;
    evil.close().await;
}

#[tokio::test]
async fn a_flood_of_messages() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    let database = one.open(&events).await;
    two.open(&events).await;
    one.dial(&two).await;
    let (evil, _events) = hostile(&one).await;
    let (address, author) = (events.address().unwrap(), somebody());
    let topic = address.to_string();
    evil.subscribe(&topic);
    let (flood, victim) = (evil.clone(), one.replication.id());
    let mut told = one.replication.events();
    let flooding = evil.spawn(async move {
        let mut sent = 0u32;
        // until it is refused
        while flood.is_connected(&victim) {
            // no entry; one of somebody who is unknown; a large one
            let message = match sent % 3 {
                0 => sent.to_be_bytes().to_vec(),
                1 => dangling(&author, address, sent).bytes().to_vec(),
                _ => [&sent.to_be_bytes()[..], &vec![0; 100_000]].concat(),
            };
            if flood.publish(&topic, message).await == Ok(true) {
                sent += 1;
            } else {
                tokio::task::yield_now().await;
            }
        }
    });
    go_on(&one, &two, 0).await;
    timeout(PATIENCE, flooding).await.unwrap().unwrap();
    let refused = async {
        while !matches!(told.next().await, Some(ReplicationEvent::Refused { peer, .. }) if peer == evil.id()) {}
    };
    timeout(PATIENCE, refused).await.expect("it is told");
    go_on(&one, &two, 10).await;
    let state = one.replication.sync(database).await.unwrap();
    assert!(state.held <= 2048, "no more than the limits say: {}", state.held);
}

#[tokio::test]
async fn withheld_blocks_keep_nobody_waiting() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    let database = one.open(&events).await;
    two.open(&events).await;
    let (evil, _events) = hostile(&one).await;
    let (address, author) = (events.address().unwrap(), somebody());
    // its identity is known, so that its entries wait for what they follow, which nobody has
    let identity = author.block().to_bytes();
    let first = dangling(&author, address, 0).into_bytes();
    one.node.receive(database, "evil", vec![identity], vec![first]).await.unwrap();
    let mut stream = exchange(&evil, one.replication.id(), &address).await;
    stream.write_all(&promise()).await.unwrap();
    for n in 0..500 {
        stream.write_all(&entries(&[dangling(&author, address, n).bytes()])).await.unwrap();
    }
    stream.close().await.unwrap();
    let held = || one.node.snapshot().unwrap().held(Some(database)).count();
    until("they are held back", || held() == 500).await;
    let state = one.replication.sync(database).await.unwrap();
    assert_eq!((state.missing.len(), state.pending_since.is_some()), (500, true));
    // a log of some depth has to be fetched meanwhile
    two.write(&events, keys("deep", 50)).await;
    one.dial(&two).await;
    until("the honest ones have joined", || one.entries(&events) == 50).await;
    go_on(&one, &two, 50).await;
    assert_eq!(held(), 500);
}

/// Has a block, some time.
#[derive(Default)]
struct Late(Mutex<Option<Vec<u8>>>);

impl BlockSource for Late {
    fn block(&self, cid: &Cid) -> Option<Bytes> {
        let block = self.0.lock().unwrap().clone();
        block.filter(|block| Hash::of(block).cid() == *cid).map(Bytes::from)
    }
    fn arrivals(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

#[tokio::test]
async fn what_nobody_had_is_asked_for_again() {
    let one = Replica::start().await;
    let events = events();
    let database = one.open(&events).await;
    let late = Arc::new(Late::default());
    let (peer, _events) =
        Network::start(NetworkKey::generate(), NetworkOptions::loopback(), late.clone()).await.unwrap();
    peer.dial(one.replication.addresses().pop().unwrap()).await.unwrap();
    one.until_connected(peer.id(), true).await;
    let (author, address) = (somebody(), events.address().unwrap());
    let entry = |n: u64, next: &[Hash]| {
        Entry::create(&author, address, Payload::add(n.to_string().into()).into_value(), next, &[], n).unwrap()
    };
    let first = entry(1, &[]);
    let second = entry(2, &[first.hash()]).into_bytes();
    one.node.receive(database, "peer", vec![author.block().to_bytes()], vec![second]).await.unwrap();
    // nothing else happens that could wake anyone
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    *late.0.lock().unwrap() = Some(first.into_bytes());
    until("both have joined", || one.entries(&events) == 2).await;
}

#[tokio::test]
async fn what_one_passes_on_for_a_hostile_peer_gets_it_no_blame() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let (events, notes) = (events(), notes());
    for replica in [&one, &two] {
        replica.open(&events).await;
    }
    // what the first one stores for another database, the second one does not know
    one.open(&notes).await;
    one.write(&notes, keys("note", 300)).await;
    let mut told = two.replication.events();
    one.dial(&two).await;
    let (evil, _events) = hostile(&one).await;
    let topic = events.address().unwrap().to_string();
    evil.subscribe(&topic);
    let snapshot = one.node.snapshot().unwrap();
    let mut list = snapshot.heads(snapshot.at(&notes.address().unwrap()).unwrap().unwrap().id).unwrap();
    while let Some(hash) = list.pop() {
        let block = snapshot.block(&hash).unwrap().unwrap().to_vec();
        list.extend(Entry::decode(&block).unwrap().next());
        let _ = evil.publish(&topic, block).await;
    }
    go_on(&one, &two, 0).await;
    one.until_connected(evil.id(), false).await;
    assert!(two.replication.peers().iter().any(|peer| peer.id == one.replication.id()));
    let refused = async {
        while let Some(event) = told.next().await {
            assert!(!matches!(event, ReplicationEvent::Refused { .. }), "{event:?}");
        }
    };
    assert!(timeout(std::time::Duration::from_millis(200), refused).await.is_err(), "nobody is refused");
}

#[tokio::test]
async fn what_builds_on_hundreds_of_forged_entries_gets_everywhere() {
    let (one, two) = (Replica::start().await, Replica::start().await);
    let events = events();
    let database = one.open(&events).await;
    one.write(&events, keys("before", 300)).await;
    let (evil, _network) = {
        let mut source = Source::default();
        let (author, address) = (somebody(), events.address().unwrap());
        let forged: Vec<Vec<u8>> = (0..300u32).map(|n| [&n.to_be_bytes()[..], &[0; 4000]].concat()).collect();
        let next: Vec<Hash> = forged.iter().map(|block| Hash::of(block)).collect();
        let built =
            Entry::create(&author, address, Payload::add("on it".into()).into_value(), &next, &[], 500).unwrap();
        source.0.extend(forged.into_iter().map(|block| (Hash::of(&block).cid(), Bytes::from(block))));
        let (network, told) =
            Network::start(NetworkKey::generate(), NetworkOptions::loopback(), Arc::new(source)).await.unwrap();
        network.dial(one.replication.addresses().pop().unwrap()).await.unwrap();
        let identity = author.block().to_bytes();
        one.node.receive(database, "evil", vec![identity], vec![built.into_bytes()]).await.unwrap();
        (network, told)
    };
    until("it has joined", || one.entries(&events) == 301).await;
    one.write(&events, keys("after", 300)).await;
    // only the first one is asked
    evil.close().await;
    two.open(&events).await;
    two.dial(&one).await;
    until_equal(&[&one, &two], &events, 601).await;
    assert!(two.replication.peers().iter().any(|peer| peer.id == one.replication.id()), "and it is not blamed");
}

/// Has these blocks.
#[derive(Default)]
pub(crate) struct Source(pub(crate) std::collections::HashMap<Cid, Bytes>);

impl BlockSource for Source {
    fn block(&self, cid: &Cid) -> Option<Bytes> {
        self.0.get(cid).cloned()
    }
    fn arrivals(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}
