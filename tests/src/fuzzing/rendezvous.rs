//! Signed lists of peers.

use debros_orbit::{Rendezvous, SigningKey};

const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let key = SigningKey::from_bytes(&[7; 32]).expect("a key");
    let [issued, expires] = ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00.5Z"].map(|at| at.parse().expect("a moment"));
    let at = [
        "/ip4/192.0.2.1/tcp/4001",
        "/ip6/2001:db8::1/tcp/1",
        "/dns4/peers.example.org/tcp/4001",
        "/dnsaddr/example.org",
    ];
    let peers = at.map(|at| format!("{at}/p2p/{PEER}"));
    let lists = [&peers[..1], &peers[..]].map(|peers| Rendezvous::new("chat", issued, expires, peers).expect("a list"));
    lists.iter().map(|list| list.sign(&key).into_bytes()).collect()
}

/// What is read is signed: it says the same when it is written again.
pub(super) fn check(bytes: &[u8]) {
    let Ok((list, _)) = Rendezvous::read(bytes) else { return };
    let peers: Vec<String> = list.peers().collect();
    assert_eq!(Rendezvous::new(list.application(), list.issued(), list.expires(), &peers).as_ref(), Ok(&list));
}
