//! What takes a feature says so without it.

use debros_ipfs::{DialError, Network, NetworkError, NetworkKey, NetworkOptions};
use std::sync::Arc;

use crate::{Blocks, Node};

#[tokio::test]
async fn an_address_that_takes_a_feature_names_it() {
    let one = Node::start().await;
    let id = one.network.id();
    let takes = [
        ("quic", cfg!(feature = "quic"), "/ip4/127.0.0.1/udp/1/quic-v1".to_owned()),
        ("relay", cfg!(feature = "relay"), format!("/ip4/127.0.0.1/tcp/1/p2p/{id}/p2p-circuit")),
    ];
    for (name, is_there, address) in takes {
        let address: debros_ipfs::Multiaddr = address.parse().unwrap();
        let dialled = one.network.dial(address.clone()).await.unwrap_err();
        let expected = DialError::Feature { address: address.clone(), feature: name };
        assert_eq!(dialled == expected, !is_there, "{dialled}");
        if is_there {
            continue;
        }
        let mut options = NetworkOptions::loopback();
        options.listen.push(address);
        let started = Network::start(NetworkKey::generate(), options, Arc::new(Blocks::default())).await;
        let error = started.err().unwrap();
        assert!(matches!(error, NetworkError::Feature { feature, .. } if feature == name), "{error}");
        assert!(error.to_string().contains(&format!("cargo feature `{name}`")), "{error}");
    }
}
