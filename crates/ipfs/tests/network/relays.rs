//! Nodes that reach each other through a relay, and then without.

use debros_ipfs::{
    DialError, Multiaddr, Network, NetworkError, NetworkEvent, NetworkKey, NetworkOptions, PeerId, RelayLimits,
    StreamError,
};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use std::sync::Arc;
use tokio::time::timeout;

use crate::{Blocks, Node, PATIENCE, fetch};

/// A relay that listens there.
fn relay(listen: &str, limits: RelayLimits) -> NetworkOptions {
    let mut options = NetworkOptions::loopback();
    options.listen = vec![listen.parse().unwrap()];
    options.relay = Some(limits);
    options
}

async fn start_relay(limits: RelayLimits) -> Node {
    Node::with(relay("/ip4/127.0.0.1/tcp/0", limits)).await
}

/// Where a node listens that is to be reached through this one.
fn through(relay: &Node) -> Multiaddr {
    format!("{}/p2p-circuit", relay.network.addresses()[0]).parse().unwrap()
}

/// Listens there and nowhere else.
fn only(address: Multiaddr) -> NetworkOptions {
    let mut options = NetworkOptions::loopback();
    options.listen = vec![address];
    options
}

/// Listens nowhere.
fn nowhere() -> NetworkOptions {
    let mut options = NetworkOptions::loopback();
    options.listen.clear();
    options
}

impl Node {
    /// Waits until a relay lets it be reached, and says where.
    async fn until_reachable(&mut self) -> Multiaddr {
        self.until(|event| if let NetworkEvent::Reachable(address) = event { Some(address) } else { None }).await
    }

    async fn until_unreachable(&mut self) -> String {
        self.until(|event| if let NetworkEvent::Unreachable { reason, .. } = event { Some(reason) } else { None }).await
    }

    async fn until_direct(&mut self, with: PeerId) {
        self.until(|event| matches!(event, NetworkEvent::Direct(peer) if peer == with).then_some(())).await;
    }

    async fn until_parted(&mut self, from: PeerId) {
        self.until(|event| matches!(event, NetworkEvent::Disconnected(peer) if peer == from).then_some(())).await;
    }
}

async fn echo(node: &Node) {
    let mut streams = node.network.accept("/echo").unwrap();
    node.network.spawn(async move {
        while let Some((_, mut stream)) = streams.next().await {
            let mut all = Vec::new();
            if stream.read_to_end(&mut all).await.is_ok() && stream.write_all(&all).await.is_ok() {
                let _ = stream.close().await;
            }
        }
    });
}

async fn hears(node: &Node, other: PeerId) -> Result<usize, StreamError> {
    let mut stream = node.network.open(other, "/echo").await?;
    let mut back = Vec::new();
    timeout(PATIENCE, async {
        stream.write_all(&[7; 10_000]).await.unwrap();
        stream.close().await.unwrap();
        stream.read_to_end(&mut back).await.unwrap();
    })
    .await
    .unwrap();
    Ok(back.len())
}

#[tokio::test]
async fn nodes_that_reach_nobody_but_a_relay_have_everything_of_each_other() {
    let relay = start_relay(RelayLimits::default()).await;
    let mut hidden = Node::with(only(through(&relay))).await;
    let mut other = Node::with(nowhere()).await;
    let address = hidden.until_reachable().await;
    assert_eq!(address, format!("{}/p2p/{}", through(&relay), hidden.network.id()).parse().unwrap());
    assert_eq!(hidden.network.addresses(), std::slice::from_ref(&address));
    assert_eq!(timeout(PATIENCE, other.network.dial(address.clone())).await.unwrap(), Ok(hidden.network.id()));
    assert_eq!(other.network.dial(address.clone()).await, Ok(hidden.network.id()), "it is connected");
    let (id, his) = (hidden.network.id(), other.network.id());
    hidden.until(|event| matches!(event, NetworkEvent::Connected(peer) if peer == his).then_some(())).await;
    for (node, with) in [(&other, id), (&hidden, his)] {
        let peer = node.network.peer(&with).unwrap();
        assert!(peer.is_relayed(), "{peer:?}");
    }
    echo(&hidden).await;
    echo(&other).await;
    assert_eq!(hears(&other, id).await.unwrap(), 10_000);
    assert_eq!(hears(&hidden, his).await.unwrap(), 10_000);
    let (here, there) = (hidden.blocks.put(&vec![1; 2 << 20]), other.blocks.put(b"small"));
    assert_eq!(fetch(&other, &here).await.len(), 2 << 20);
    assert_eq!(fetch(&hidden, &there).await, b"small"[..]);
    for node in [&hidden, &other] {
        node.network.subscribe("topic");
    }
    other.until_subscribed("topic").await;
    assert_eq!(other.network.publish("topic", vec![7; 100_000]).await, Ok(true));
    let message = hidden.until(|event| if let NetworkEvent::Message(m) = event { Some(m) } else { None }).await;
    assert_eq!((message.data.len(), message.peer), (100_000, his));
    // who is refused is so through a relay, too
    hidden.network.refuse(his);
    other.until_parted(id).await;
    let again = async {
        while other.network.dial(address.clone()).await.is_ok() {
            other.until_parted(id).await
        }
    };
    timeout(PATIENCE, again).await.unwrap();
    assert!(!hidden.network.is_connected(&his));
}

#[tokio::test]
async fn a_relay_that_was_started_anew_is_asked_again() {
    let key = tempfile::tempdir().unwrap();
    let key = || NetworkKey::open(&key.path().join("key")).unwrap();
    let first = Node::with_key(key(), relay("/ip4/127.0.0.1/tcp/0", RelayLimits::default())).await;
    // a relay may be named, too
    let address = through(&first).to_string().replace("/ip4/127.0.0.1/", "/dns4/localhost/");
    let mut hidden = Node::with(only(address.parse().unwrap())).await;
    let reached = hidden.until_reachable().await;
    let listened = first.network.addresses()[0].to_string();
    first.network.close().await;
    hidden.until_unreachable().await;
    assert_eq!(hidden.network.addresses(), []);
    let reason = hidden.until_unreachable().await;
    assert!(reason.contains("refused"), "{reason}");
    let listen = listened.split("/p2p/").next().unwrap();
    let _again = Node::with_key(key(), relay(listen, RelayLimits::default())).await;
    assert_eq!(hidden.until_reachable().await, reached);
    assert_eq!(hidden.network.addresses(), std::slice::from_ref(&reached));
    let other = Node::with(nowhere()).await;
    assert_eq!(other.network.dial(reached).await, Ok(hidden.network.id()));
}

#[tokio::test]
async fn a_relay_that_is_full_refuses_others_and_keeps_those_whom_it_has() {
    let mut limits = RelayLimits::default();
    limits.reservations = 1;
    limits.reservation_lasts = std::time::Duration::from_secs(4);
    let relay = start_relay(limits).await;
    let mut first = Node::with(only(through(&relay))).await;
    let address = first.until_reachable().await;
    let mut second = Node::with(only(through(&relay))).await;
    // with pauses of 1, 2 and 4 seconds, so that the reservation would have ended
    for _ in 0..4 {
        let reason = second.until_unreachable().await;
        assert!(reason.contains("limit exceeded"), "{reason}");
    }
    assert_eq!(first.network.addresses(), std::slice::from_ref(&address));
    let other = Node::with(nowhere()).await;
    assert_eq!(other.network.dial(address).await, Ok(first.network.id()));
    // there is room again when the first one goes
    first.network.close().await;
    second.until_reachable().await;
}

#[tokio::test]
async fn a_relay_carries_so_much_and_no_more() {
    let mut limits = RelayLimits::default();
    (limits.circuits, limits.circuit_bytes) = (2, 1 << 20);
    limits.circuits_per_peer = 1;
    let relay = start_relay(limits).await;
    let (mut one, mut two) = (Node::with(only(through(&relay))).await, Node::with(only(through(&relay))).await);
    let (at_one, at_two) = (one.until_reachable().await, two.until_reachable().await);
    let [mut first, second, third] =
        [Node::with(nowhere()).await, Node::with(nowhere()).await, Node::with(nowhere()).await];
    let refused = |dialled: Result<PeerId, DialError>| {
        let error = dialled.unwrap_err().to_string();
        assert!(error.contains("limit exceeded"), "{error}");
    };
    assert_eq!(first.network.dial(at_one.clone()).await, Ok(one.network.id()));
    refused(first.network.dial(at_two.clone()).await);
    assert_eq!(second.network.dial(at_two.clone()).await, Ok(two.network.id()));
    refused(third.network.dial(at_one.clone()).await);
    // what is larger does not pass, and the connection ends
    let large = one.blocks.put(&vec![1; 2 << 20]);
    let network = first.network.clone();
    let fetching = tokio::spawn(async move { network.fetch(&large, &[]).await });
    first.until_parted(one.network.id()).await;
    fetching.abort();
    let free = async {
        while third.network.dial(at_one.clone()).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, free).await.unwrap();
}

/// libp2p's books would not agree any more, which it takes for a mistake of its own, and panics.
#[tokio::test]
async fn a_relay_stands_who_asks_again_when_a_reservation_runs_out() {
    let mut limits = RelayLimits::default();
    limits.reservation_lasts = std::time::Duration::from_micros(500);
    let relay = start_relay(limits).await;
    let id = relay.network.id();
    for _ in 0..8 {
        let peer = Node::with(nowhere()).await;
        peer.dial(&relay).await;
        // as many as one peer may ask for
        for _ in 0..30 {
            let mut stream =
                peer.network.open(id, "/libp2p/circuit/relay/0.2.0/hop").await.expect("the relay is there");
            // a message of two bytes: the type is RESERVE
            stream.write_all(&[2, 0x08, 0x00]).await.unwrap();
            let mut answer = Vec::new();
            timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
            assert!(!answer.is_empty());
        }
        peer.network.close().await;
    }
    Node::start().await.dial(&relay).await;
}

#[tokio::test]
async fn connections_through_a_relay_are_counted_as_any() {
    let relay = start_relay(RelayLimits::default()).await;
    let mut options = only(through(&relay));
    options.limits.inbound_connections = 1;
    let mut hidden = Node::with(options).await;
    let address = hidden.until_reachable().await;
    let (mut first, mut second) = (Node::with(nowhere()).await, Node::with(nowhere()).await);
    let (id, his) = (hidden.network.id(), first.network.id());
    assert_eq!(first.network.dial(address.clone()).await, Ok(id));
    hidden.until(|event| matches!(event, NetworkEvent::Connected(peer) if peer == his).then_some(())).await;
    // who dials may take the connection for made before it is refused
    if second.network.dial(address.clone()).await.is_ok() {
        second.until_parted(id).await;
    }
    assert!(!hidden.network.is_connected(&second.network.id()) && hidden.network.is_connected(&his));
    first.network.disconnect(id);
    first.until_parted(id).await;
    hidden.until_parted(his).await;
    assert_eq!(second.network.dial(address).await, Ok(id));
}

#[tokio::test]
async fn peers_leave_the_relay_when_they_can_reach_each_other() {
    leave_the_relay("/ip4/127.0.0.1/tcp/0").await;
}

#[cfg(feature = "quic")]
#[tokio::test]
async fn peers_leave_the_relay_over_quic() {
    leave_the_relay("/ip4/127.0.0.1/udp/0/quic-v1").await;
}

async fn leave_the_relay(listen: &str) {
    let relay = Node::with(relay(listen, RelayLimits::default())).await;
    let mut options = only(through(&relay));
    options.listen.push(listen.parse().unwrap());
    let mut hidden = Node::with(options.clone()).await;
    let address = hidden.until_reachable().await;
    let (id, of_relay) = (hidden.network.id(), relay.network.id());
    // it knows from where the relay sees it
    if !hidden.network.is_identified(&of_relay) {
        hidden.until(|event| matches!(event, NetworkEvent::Identified(peer) if peer == of_relay).then_some(())).await;
    }
    options.listen.remove(0);
    let mut other = Node::with(options).await;
    echo(&hidden).await;
    assert_eq!(other.network.dial(address).await, Ok(id));
    assert_eq!(hears(&other, id).await.unwrap(), 10_000);
    let his = other.network.id();
    other.until_direct(id).await;
    hidden.until_direct(his).await;
    let protocol = listen.split('/').nth(3).unwrap();
    for (node, with) in [(&other, id), (&hidden, his)] {
        let peer = node.network.peer(&with).unwrap();
        assert!(!peer.is_relayed() && peer.address.to_string().contains(protocol), "{peer:?}");
    }
    // from now on they do without it
    relay.network.close().await;
    other.until_parted(of_relay).await;
    assert!(other.network.is_connected(&id));
    assert_eq!(hears(&other, id).await.unwrap(), 10_000);
}

#[tokio::test]
async fn what_is_no_relay_is_refused() {
    let start = |options| async { Network::start(NetworkKey::generate(), options, Arc::new(Blocks::default())).await };
    let mut options = nowhere();
    options.relay = Some(RelayLimits::default());
    assert!(matches!(start(options).await.err(), Some(NetworkError::RelayNowhere)));
    let error = start(only("/ip4/127.0.0.1/tcp/1/p2p-circuit".parse().unwrap())).await.err().unwrap();
    assert!(error.to_string().contains("an address through a relay is as"), "{error}");
    // who is there and is none
    let plain = Node::start().await;
    let mut hidden = Node::with(only(through(&plain))).await;
    let reason = hidden.until_unreachable().await;
    assert!(reason.contains("does not support"), "{reason}");
}
