//! The hostile entries of the vectors, sent by a peer: in an exchange, and on the topic.

use crate::{
    closed::CLOSED,
    hostile::{Source, message, promise_of, try_exchange},
    support::{Replica, until},
};
use debros_ipfs::{Bytes, Cid, Network, NetworkKey, NetworkOptions, PeerId};
use debros_orbit::{Address, Hash, ReadDocuments as _};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use serde_json::Value as Json;
use std::{path::PathBuf, sync::Arc};

fn bytes(json: &Json) -> Vec<u8> {
    hex::decode(json["bytes"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn hostile_entries_are_judged_over_the_wire_as_they_are_alone() {
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"));
    let file = std::env::var_os("ORBITDB_VECTORS").map_or_else(own, PathBuf::from).join("acceptance.json");
    let json: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let address: Address = json["db"]["address"].as_str().unwrap().parse().unwrap();
    let users = json["writers"].as_object().unwrap().values().chain([&json["mallory"]]);
    let identities: Vec<Vec<u8>> = users.map(bytes).collect();
    let made_of = [&json["db"]["manifest"], &json["db"]["access_controller"]["block"]].map(bytes);
    let blocks = identities.iter().cloned().chain(made_of);
    let named = |block: Vec<u8>| -> (Cid, Bytes) { (Hash::of(&block).cid(), block.into()) };
    let source = Arc::new(Source(blocks.map(named).collect()));

    for by_topic in [false, true] {
        let victim = Replica::start().await;
        let (evil, _told) =
            Network::start(NetworkKey::generate(), NetworkOptions::loopback(), source.clone()).await.unwrap();
        evil.dial(victim.replication.addresses().pop().unwrap()).await.unwrap();
        if by_topic {
            // otherwise the victim would begin an exchange, too, and that may be the one that counts
            evil.subscribe(&address.to_string());
        }
        let database = victim.replication.open_address(&address, "vectors", &[]).await.unwrap();
        let mut accepted = 0;
        for case in json["cases"].as_array().unwrap() {
            let (name, entry) = (case["name"].as_str().unwrap(), bytes(case));
            let expected = case["js"] == "accepted" && !CLOSED.contains(&name);
            accepted += u64::from(expected);
            let hash = Hash::of(&entry);
            if by_topic {
                while !evil.publish(&address.to_string(), entry.clone()).await.unwrap() {
                    tokio::task::yield_now().await;
                }
            } else {
                let identities: Vec<&[u8]> = identities.iter().map(Vec::as_slice).collect();
                let with_identities = message(3, &[&identities, &[&entry]]);
                // the other side may still be busy with the one before
                while !offer(&evil, victim.replication.id(), &address, &hash, &with_identities).await {
                    tokio::task::yield_now().await;
                }
            }
            let has_joined = || victim.node.snapshot().unwrap().heads(database).unwrap().contains(&hash);
            if expected {
                until(name, has_joined).await;
            }
        }
        until("all were judged", || victim.node.snapshot().unwrap().entries(database).unwrap() == accepted).await;
        victim.node.settle().await;
        let snapshot = victim.node.snapshot().unwrap();
        assert_eq!(snapshot.entries(database).unwrap(), accepted);
        let heads = snapshot.heads(database).unwrap();
        for case in json["cases"].as_array().unwrap() {
            let (name, hash) = (case["name"].as_str().unwrap(), Hash::of(&bytes(case)));
            let expected = case["js"] == "accepted" && !CLOSED.contains(&name);
            assert_eq!(heads.contains(&hash), expected, "{name}, by topic: {by_topic}");
        }
        evil.close().await;
    }
}

/// Offers an entry, and sends it when it is asked for. Whether it was.
async fn offer(evil: &Network, victim: PeerId, address: &Address, head: &Hash, entries: &[u8]) -> bool {
    let exchange = async {
        let mut stream = try_exchange(evil, victim, address).await?;
        stream.write_all(&promise_of(head)).await.ok()?;
        loop {
            let mut len = [0; 4];
            stream.read_exact(&mut len).await.ok()?;
            let mut body = vec![0; u32::from_be_bytes(len) as usize];
            stream.read_exact(&mut body).await.ok()?;
            // `Want`
            if body[1] == 2 {
                break;
            }
        }
        stream.write_all(&[entries, &message(4, &[])].concat()).await.ok()?;
        stream.close().await.ok()?;
        // until the other side is done with it
        let _ = stream.read_to_end(&mut Vec::new()).await;
        Some(())
    };
    exchange.await.is_some()
}
