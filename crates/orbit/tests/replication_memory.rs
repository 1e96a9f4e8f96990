//! What hostile peers send costs bounded memory: in a process of its own, whose memory is looked at.

#![cfg(all(feature = "network", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debros_ipfs::{BlockSource, Bytes, Cid, Multiaddr, Network, NetworkKey, NetworkOptions, PeerId};
use debros_orbit::{Address, DatabaseKind, DatabaseSpec, Durability, NoSchema, Node, NodeOptions, ReadDocuments as _};
use futures::AsyncWriteExt as _;
use std::{
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};

/// So much is sent in each way.
const SENT: u64 = 300 << 20;
/// How much more memory the node may need meanwhile.
const BOUND: u64 = 100 << 20;
/// Says, to a process of this test, that it is the hostile peer, and whose.
const ROLE: &str = "DEBROS_HOSTILE_PEER";
const PATIENCE: Duration = Duration::from_secs(300);

struct Nothing;

impl BlockSource for Nothing {
    fn block(&self, _: &Cid) -> Option<Bytes> {
        None
    }
    fn arrivals(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() << 10
}

/// Writes a block again and again, for as long as the other side reads; how much that was.
async fn stream(evil: &Network, victim: PeerId, protocol: &str, first: &[u8], block: &[u8]) -> u64 {
    let Ok(mut stream) = evil.open(victim, protocol).await else { return 0 };
    let mut sent = 0;
    if stream.write_all(first).await.is_ok() {
        // a side that reads no more need not say so
        let patience = Duration::from_millis(500);
        while sent < 16 << 20 && matches!(timeout(patience, stream.write_all(block)).await, Ok(Ok(()))) {
            sent += block.len() as u64;
        }
    }
    sent
}

/// The hostile peer: sends much in one way, and ends. When it is refused, it comes as another one.
async fn be_evil(way: String, victim: Multiaddr, address: Address) {
    let count = Arc::new(AtomicU64::new(0));
    while count.load(Ordering::Relaxed) < SENT {
        let (evil, mut told) =
            Network::start(NetworkKey::generate(), NetworkOptions::loopback(), Arc::new(Nothing)).await.unwrap();
        let Ok(id) = evil.dial(victim.clone()).await else { continue };
        evil.subscribe(&address.to_string());
        evil.spawn(async move { while told.next().await.is_some() {} });
        for _ in 0..4 {
            let (of_evil, count, way) = (evil.clone(), count.clone(), way.clone());
            evil.spawn(async move {
                while of_evil.is_connected(&id) {
                    count.fetch_add(send_much(&of_evil, id, &way, &address).await, Ordering::Relaxed);
                    // what is published faster than it is sent is lost
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        while count.load(Ordering::Relaxed) < SENT && evil.is_connected(&id) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        evil.close().await;
    }
}

/// How much was sent.
async fn send_much(evil: &Network, victim: PeerId, way: &str, address: &Address) -> u64 {
    const MUCH: usize = 1 << 20;
    // promises 1 MiB as a message of Bitswap, and a list in it
    let block = [&[0x80, 0x80, 0x40, 0x1a, 0xfc, 0xff, 0x3f][..], &vec![0; MUCH - 7]].concat();
    match way {
        "entries" => {
            // the database, a head that nobody has; then, again and again, 1 MiB that is no entry
            let manifest = address.manifest();
            let begin = [&manifest.digest()[..], &[0, 0, 0, 37, 0x82, 1, 0x81, 0x58, 32], &[7; 32]].concat();
            let head = [0, 0x10, 0, 0, 0x83, 3, 0x80, 0x81, 0x5a, 0, 0x0f, 0xff, 0xf7];
            stream(evil, victim, "/debros/sync/1", &begin, &[&head[..], &vec![0; MUCH - 9]].concat()).await
        }
        "blocks" => stream(evil, victim, "/ipfs/bitswap/1.2.0", &[], &block).await,
        _ => match evil.publish(&address.to_string(), block).await {
            Ok(true) => MUCH as u64,
            _ => 0,
        },
    }
}

#[tokio::test]
async fn what_hostile_peers_send_is_not_kept() {
    if let Ok(role) = std::env::var(ROLE) {
        let mut words = role.split_whitespace();
        let mut word = || words.next().unwrap();
        return be_evil(word().to_owned(), word().parse().unwrap(), word().parse().unwrap()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
    let replication = node.replicate(NetworkOptions::loopback()).await.unwrap();
    let events = DatabaseSpec::documents("events", ["*"]).of_kind(DatabaseKind::Events);
    let spec = events.clone();
    let database = node.write(Durability::Local, move |writer| writer.open(&spec)).await.unwrap();
    replication.open(database).await.unwrap();
    let before = peak();
    for way in ["entries", "blocks", "messages"] {
        let listening = replication.addresses().pop().unwrap();
        // in a process of its own, whose memory does not count
        let mut evil = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_hostile_peers_send_is_not_kept"])
            .env(ROLE, format!("{way} {listening} {}", events.address().unwrap()))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        let ended = loop {
            match evil.try_wait().unwrap() {
                Some(ended) => break ended,
                None if begin.elapsed() > PATIENCE => {
                    evil.kill().unwrap();
                    panic!("{way}: not within {PATIENCE:?}");
                }
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        assert!(ended.success(), "{way}");
        assert!(peak() - before < BOUND, "{way}: {} MiB more than {} MiB", (peak() - before) >> 20, before >> 20);
    }
    // and the node is well
    assert_eq!(node.snapshot().unwrap().entries(database).unwrap(), 0);
    replication.close().await;
    node.close().await.unwrap();
}
