//! Nodes of the network with each other, over the loopback interface.
#![cfg(feature = "network")]
#![allow(clippy::unwrap_used, reason = "tests: a panic is what they are for")]

mod features;
#[cfg(feature = "quic")]
mod quic;
#[cfg(feature = "relay")]
mod relays;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use cid::multihash::Multihash;
use debros_ipfs::{
    BlockSource, Bytes, Cid, DialError, FetchError, Network, NetworkEvent, NetworkEvents, NetworkKey, NetworkOptions,
    StreamError, Verdict,
};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use sha2::{Digest as _, Sha256};
use tokio::{sync::watch, time::timeout};

/// It takes milliseconds; a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Blocks {
    blocks: Mutex<HashMap<Cid, Bytes>>,
    arrivals: watch::Sender<u64>,
}

impl Blocks {
    fn put(&self, data: &[u8]) -> Cid {
        let cid = cid_of(data);
        self.blocks.lock().unwrap().insert(cid, Bytes::copy_from_slice(data));
        self.arrivals.send_modify(|count| *count += 1);
        cid
    }
}

impl BlockSource for Blocks {
    fn block(&self, cid: &Cid) -> Option<Bytes> {
        self.blocks.lock().unwrap().get(cid).cloned()
    }
    fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }
}

fn cid_of(data: &[u8]) -> Cid {
    Cid::new_v1(0x71, Multihash::wrap(0x12, &Sha256::digest(data)).unwrap())
}

struct Node {
    network: Network,
    events: NetworkEvents,
    blocks: Arc<Blocks>,
}

impl Node {
    async fn start() -> Node {
        Node::with(NetworkOptions::loopback()).await
    }

    async fn with(options: NetworkOptions) -> Node {
        Node::with_key(NetworkKey::generate(), options).await
    }

    async fn with_key(key: NetworkKey, options: NetworkOptions) -> Node {
        let blocks = Arc::new(Blocks::default());
        let (network, events) = Network::start(key, options, blocks.clone()).await.unwrap();
        Node { network, events, blocks }
    }

    async fn dial(&self, other: &Node) {
        let address = other.network.addresses().pop().unwrap();
        assert_eq!(self.network.dial(address).await, Ok(other.network.id()));
    }

    /// Waits for what the function looks for.
    async fn until<T>(&mut self, mut wanted: impl FnMut(NetworkEvent) -> Option<T>) -> T {
        let found = async {
            loop {
                let event = self.events.next().await.expect("the network goes on");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.expect("it happens")
    }

    async fn until_subscribed(&mut self, topic: &str) {
        self.until(|event| matches!(event, NetworkEvent::Subscribed { topic: t, .. } if t == topic).then_some(()))
            .await;
    }
}

async fn fetch(node: &Node, cid: &Cid) -> Bytes {
    timeout(PATIENCE, node.network.fetch(cid, &[])).await.expect("it comes").unwrap()
}

#[tokio::test]
async fn a_peer_is_found_by_name() {
    let two = Node::start().await;
    let listening = two.network.addresses().pop().unwrap().to_string();
    for protocol in ["dns4", "dns"] {
        let one = Node::start().await;
        let by_name = listening.replace("/ip4/127.0.0.1/", &format!("/{protocol}/localhost/"));
        assert_ne!(by_name, listening);
        assert_eq!(one.network.dial(by_name.parse().unwrap()).await, Ok(two.network.id()));
        one.network.close().await;
    }
}

#[tokio::test]
async fn peers_meet_and_part() {
    let (mut one, mut two) = (Node::start().await, Node::start().await);
    one.dial(&two).await;
    let (id_one, id_two) = (one.network.id(), two.network.id());
    one.until(|event| matches!(event, NetworkEvent::Connected(peer) if peer == id_two).then_some(())).await;
    two.until(|event| matches!(event, NetworkEvent::Connected(peer) if peer == id_one).then_some(())).await;
    assert!(one.network.is_connected(&id_two) && two.network.is_connected(&id_one));
    one.dial(&two).await;
    one.network.disconnect(id_two);
    two.until(|event| matches!(event, NetworkEvent::Disconnected(peer) if peer == id_one).then_some(())).await;
    assert!(two.network.peers().is_empty());
    two.network.close().await;
    let gone = two.network.dial(one.network.addresses().pop().unwrap()).await;
    assert_eq!(gone, Err(DialError::Closed));
    let address = two.network.addresses().pop().unwrap();
    assert!(matches!(one.network.dial(address).await, Err(DialError::Unreachable { .. })));
}

#[tokio::test]
async fn a_good_message_goes_on_and_a_bad_one_does_not() {
    let (one, mut two, mut three) = (Node::start().await, Node::start().await, Node::start().await);
    // one - two - three
    one.dial(&two).await;
    three.dial(&two).await;
    for node in [&one, &two, &three] {
        node.network.subscribe("topic");
    }
    two.until_subscribed("topic").await;
    two.until_subscribed("topic").await;
    three.until_subscribed("topic").await;
    let large = vec![7; 3 << 20];
    let published = async {
        for message in [b"bad".to_vec(), large.clone()] {
            while !one.network.publish("topic", message.clone()).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    timeout(PATIENCE, published).await.unwrap();
    for _ in 0..2 {
        let message = two.until(|event| if let NetworkEvent::Message(m) = event { Some(m) } else { None }).await;
        let verdict = if message.data.len() > 3 { Verdict::Good } else { Verdict::Bad };
        two.network.judge(&message, verdict);
    }
    let message = three.until(|event| if let NetworkEvent::Message(m) = event { Some(m) } else { None }).await;
    assert_eq!((message.data, message.peer), (Bytes::from(large), two.network.id()));
    assert!(one.network.publish("topic", vec![0; 5 << 20]).await.is_err());
}

#[tokio::test]
async fn streams_are_opened_by_the_name_of_their_protocol() {
    let (one, two) = (Node::start().await, Node::start().await);
    let id = two.network.id();
    assert!(matches!(one.network.open(id, "/echo").await, Err(StreamError::NotConnected(_))));
    one.dial(&two).await;
    assert!(matches!(one.network.open(id, "/echo").await, Err(StreamError::Unsupported { .. })));
    assert!(matches!(two.network.accept("echo"), Err(StreamError::NoProtocol(_))));
    let mut streams = two.network.accept("/echo").unwrap();
    assert!(matches!(two.network.accept("/echo"), Err(StreamError::Taken(_))));
    two.network.spawn(async move {
        while let Some((_, mut stream)) = streams.next().await {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            stream.write_all(&all).await.unwrap();
            stream.close().await.unwrap();
        }
    });
    // none is lost, however many come at once
    let many = (0..64u8).map(|n| {
        let network = one.network.clone();
        async move {
            let mut stream = network.open(id, "/echo").await.unwrap();
            stream.write_all(&[n; 1000]).await.unwrap();
            stream.close().await.unwrap();
            let mut back = Vec::new();
            stream.read_to_end(&mut back).await.unwrap();
            assert_eq!(back, [n; 1000]);
        }
    });
    timeout(PATIENCE, futures::future::join_all(many)).await.unwrap();
}

#[tokio::test]
async fn a_protocol_of_a_topic_is_not_offered_to_nodes_of_this_kind_nor_announced() {
    let (one, two) = (Node::start().await, Node::start().await);
    let id = two.network.id();
    let _many: Vec<_> = (0..1000)
        .map(|n| two.network.accept_on_topic(&format!("/a/protocol/with/a/long/name/{n}"), &format!("{n}")).unwrap())
        .collect();
    one.network.subscribe("7");
    one.dial(&two).await;
    // identify works, though all names together would not fit
    let identified = async {
        while !one.network.peer(&id).is_some_and(|peer| peer.is_debros()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, identified).await.unwrap();
    let refused = one.network.open(id, "/a/protocol/with/a/long/name/7").await;
    assert!(matches!(refused, Err(StreamError::Unsupported { .. })), "{refused:?}");
}

#[tokio::test]
async fn blocks_come_from_whoever_has_them() {
    let (one, two, three) = (Node::start().await, Node::start().await, Node::start().await);
    one.dial(&two).await;
    one.dial(&three).await;
    let small = two.blocks.put(b"small");
    let large = three.blocks.put(&vec![9; 3 << 20]);
    assert_eq!(fetch(&one, &small).await, b"small"[..]);
    assert_eq!(fetch(&one, &large).await.len(), 3 << 20);
    let many: Vec<Cid> = (0..2000u32).map(|n| two.blocks.put(&[&n.to_be_bytes()[..], &[1; 3000]].concat())).collect();
    let fetched = futures::future::join_all(many.iter().map(|cid| fetch(&one, cid))).await;
    assert!(fetched.iter().zip(&many).all(|(block, cid)| cid_of(block) == *cid));
}

#[tokio::test]
async fn a_block_that_comes_later_and_a_peer_that_comes_later_are_waited_for() {
    let (one, two, three) = (Node::start().await, Node::start().await, Node::start().await);
    one.dial(&two).await;
    let (at_two, at_three) = (cid_of(b"two"), cid_of(b"three"));
    three.blocks.put(b"three");
    let network = one.network.clone();
    let waiting = tokio::spawn(async move {
        futures::future::try_join(network.fetch(&at_two, &[]), network.fetch(&at_three, &[])).await
    });
    // two has said by then that it has neither
    tokio::time::sleep(Duration::from_millis(300)).await;
    two.blocks.put(b"two");
    one.dial(&three).await;
    let (two, three) = timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!((&two[..], &three[..]), (&b"two"[..], &b"three"[..]));
}

#[tokio::test]
async fn a_peer_that_withholds_or_sends_garbage_stops_nobody() {
    let (one, two, evil) = (Node::start().await, Node::start().await, Node::start().await);
    one.dial(&evil).await;
    one.dial(&two).await;
    let bitswap = "/ipfs/bitswap/1.2.0";
    // promises more than it may, less than it sends, never ends, or is no message
    let garbage: [&[u8]; 4] =
        [&[0xff, 0xff, 0xff, 0xff, 0x0f], &[0xff, 0xff, 0x7f, 1], &[5], &[4, 0x0a, 0xff, 0xff, 1]];
    for bytes in garbage {
        let mut stream = evil.network.open(one.network.id(), bitswap).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.flush().await.unwrap();
        // held open
        std::mem::forget(stream);
    }
    let cid = two.blocks.put(b"block");
    // evil has none of it, and is asked first
    let block = timeout(PATIENCE, one.network.fetch(&cid, &[evil.network.id()])).await.unwrap().unwrap();
    assert_eq!(block, b"block"[..]);
    let gone = cid_of(b"nobody has it");
    assert!(timeout(Duration::from_millis(200), one.network.fetch(&gone, &[])).await.is_err());
    let found = timeout(PATIENCE, one.network.find(&gone, &[])).await.unwrap();
    assert!(matches!(found, Err(FetchError::NotFound(_))), "{found:?}");
}
