//! Somebody who publishes what no honest application does.

use crate::{Peer, until};
use debros_ipfs::{Bytes, CarWriter, Cid, Kubo};
use debros_orbit::{Address, Announcement, BlockList, Hash, Hint};
use debros_tests::KuboDaemon;

const TOPIC: &str = "/debros/roots/1/chat";

/// Stores blocks of raw bytes, and gives their names.
async fn raw_blocks(kubo: &Kubo, count: u32, size: usize) -> Vec<Cid> {
    let mut car = CarWriter::new(&[]);
    let mut cids = Vec::new();
    for n in 0..count {
        let mut data = n.to_be_bytes().to_vec();
        data.resize(size, 7);
        let cid = Cid::new_v1(0x55, *Hash::of(&data).cid().hash());
        car.block(&cid, &data);
        cids.push(cid);
    }
    kubo.dag_import(vec![car.finish()], size).await.expect("it is stored");
    cids
}

async fn list(kubo: &Kubo, database: Cid, depth: u8, links: Vec<Cid>) -> Hash {
    let list = BlockList { blocks: links.len() as u64, by: "nobody".into(), database, depth, links };
    let (hash, bytes) = list.encode();
    let mut car = CarWriter::new(&[hash.cid()]);
    car.block(&hash.cid(), &bytes);
    kubo.dag_import(vec![car.finish()], bytes.len()).await.expect("it is stored");
    hash
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_cost_little_and_do_no_harm() {
    let (one, two) = (Peer::start().await, Peer::start().await);
    one.connect(&two);
    one.write(0..20).await;
    two.has(0..20).await;
    one.agrees().await;
    let address: Address = {
        let addresses = one.db.addresses().await.expect("addresses");
        let (_, address) = addresses.iter().find(|(name, _)| name.contains("Message")).expect("of the messages");
        address.parse().expect("an address")
    };
    let foreign = Address::of(Hash::of(b"another database"));

    let liar = KuboDaemon::start();
    for peer in [&one, &two] {
        liar.ipfs_ok(&["swarm", "connect", &peer.daemon.peer_address()]);
    }
    let kubo = Kubo::new(liar.url().as_str().into()).expect("a client");
    until("connected", async || kubo.pubsub_peers(TOPIC).await.expect("peers").len() == 2, String::new).await;
    let stored = one.db.kubo().status().pins;
    let before = (one.hints(), two.hints());

    // what is none, or too much
    for bytes in [vec![0; 10], vec![0x81; 40_000], vec![1; 900_000], Vec::new(), b"{}".to_vec()] {
        kubo.pubsub_pub(TOPIC, bytes.into()).await.expect("it is published");
    }
    let hint = |roots: Vec<Hash>, head: u32| Hint {
        database: address,
        apart: true,
        entries: u64::MAX,
        heads: vec![Hash::of(&head.to_be_bytes())],
        state: Hash::of(b"more than are named"),
        roots,
    };
    // many blocks of garbage, more than are fetched before it is given up
    let manifest = address.manifest().cid();
    let blocks = raw_blocks(&kubo, 20_000, 100).await;
    let mut leaves = Vec::new();
    for chunk in blocks.chunks(BlockList::MAX_LINKS) {
        leaves.push(list(&kubo, manifest, 0, chunk.to_vec()).await.cid());
    }
    let garbage = list(&kubo, manifest, 1, leaves.clone()).await;
    // lists that lead nowhere, to themselves as far as that goes, and to another database
    let nowhere = Hash::of(b"nowhere");
    let mut deep = list(&kubo, manifest, 0, Vec::new()).await;
    for depth in 1..=24 {
        deep = list(&kubo, manifest, depth, vec![deep.cid(); BlockList::MAX_LINKS]).await;
    }
    let shallow = list(&kubo, manifest, 0, vec![deep.cid()]).await;
    let below = list(&kubo, manifest, 1, vec![deep.cid()]).await;
    let other = list(&kubo, foreign.manifest().cid(), 0, blocks[..10].to_vec()).await;
    let roots = [vec![garbage], vec![nowhere], vec![deep], vec![shallow], vec![below], vec![other], vec![deep; 128]];
    for (head, roots) in roots.into_iter().enumerate() {
        let lie = Announcement { by: format!("{head}"), addresses: Vec::new(), hints: vec![hint(roots, head as u32)] };
        kubo.pubsub_pub(TOPIC, lie.encode().into()).await.expect("it is published");
    }
    // of a database that nobody has
    let of_another = Hint { database: foreign, ..hint(vec![other], 99) };
    let lie = Announcement { by: "another".into(), addresses: Vec::new(), hints: vec![of_another] };
    kubo.pubsub_pub(TOPIC, lie.encode().into()).await.expect("it is published");
    // and many of them
    for n in 0..200_u32 {
        let hints = (0..20).map(|head| hint(vec![garbage], n * 100 + head)).collect();
        let lie = Announcement { by: n.to_string(), addresses: vec!["/ip4/127.0.0.1".into()], hints };
        kubo.pubsub_pub(TOPIC, lie.encode().into()).await.expect("it is published");
    }

    // all goes on meanwhile
    one.write(20..40).await;
    two.has(0..40).await;
    two.write(40..60).await;
    one.has(0..60).await;
    let failed = async || one.hints().failed > before.0.failed && two.hints().failed > before.1.failed;
    until("tried", failed, || format!("{:#?}\n{:#?}", one.hints(), two.hints())).await;
    for peer in [&one, &two] {
        let hints = peer.hints();
        assert!(hints.refused > 0, "{hints:#?}");
        // of 20,000 blocks of garbage
        let fetched = peer.daemon.ipfs_ok(&["refs", "local"]).lines().count();
        assert!(fetched < 12_000, "{fetched}: {hints:#?}");
        peer.drained().await;
        peer.clean().await;
        let pins = peer.daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
        assert!(peer.db.kubo().status().pins <= stored + 60, "{pins}");
    }
    kubo.pubsub_pub(TOPIC, Bytes::from_static(b"last")).await.expect("it is published");
    for peer in [one, two] {
        peer.db.close().await.expect("it closes");
    }
}
