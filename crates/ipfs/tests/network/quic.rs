//! Nodes that meet over QUIC.

use debros_ipfs::{NetworkEvent, NetworkOptions};

use crate::{Node, fetch};

pub(crate) fn quic_only() -> NetworkOptions {
    let mut options = NetworkOptions::loopback();
    options.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()];
    options
}

#[tokio::test]
async fn nodes_without_tcp_have_blocks_and_messages_of_each_other() {
    let (mut one, mut two) = (Node::with(quic_only()).await, Node::with(quic_only()).await);
    one.dial(&two).await;
    assert!(one.network.peers()[0].address.to_string().contains("/quic-v1"), "{:?}", one.network.peers());
    let (small, large) = (one.blocks.put(b"small"), two.blocks.put(&vec![9; 3 << 20]));
    assert_eq!(fetch(&two, &small).await, b"small"[..]);
    assert_eq!(fetch(&one, &large).await.len(), 3 << 20);
    for node in [&one, &two] {
        node.network.subscribe("topic");
    }
    one.until_subscribed("topic").await;
    assert_eq!(one.network.publish("topic", vec![7; 100_000]).await, Ok(true));
    let message = two.until(|event| if let NetworkEvent::Message(m) = event { Some(m) } else { None }).await;
    assert_eq!(message.data.len(), 100_000);
}

#[tokio::test]
async fn a_node_is_reached_by_tcp_and_by_quic() {
    let mut options = quic_only();
    options.listen.extend(NetworkOptions::loopback().listen);
    let both = Node::with(options).await;
    let addresses = both.network.addresses();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let by_name = address.to_string().replace("/ip4/127.0.0.1/", "/dns4/localhost/");
        for address in [address, by_name.parse().unwrap()] {
            let other = Node::start().await;
            assert_eq!(other.network.dial(address).await, Ok(both.network.id()));
            other.network.close().await;
        }
    }
}
