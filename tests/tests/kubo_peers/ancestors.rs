//! What entries wait for comes from the daemon, wherever they came from.

use crate::until;
use debros_core::Map;
use debros_ipfs::{CarWriter, Kubo};
use debros_orbit::{DatabaseSpec, Durability, Hash, NoSchema, Node, NodeOptions, ReadDocuments as _};
use debros_tests::KuboDaemon;
use std::{path::Path, sync::Arc};

fn node(folder: &Path) -> Node {
    Node::open(folder, NodeOptions::default(), Arc::new(NoSchema)).expect("it opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn ancestors_that_no_peer_sends_are_asked_of_the_daemon() {
    let folders = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (one, two) = (node(folders.0.path()), node(folders.1.path()));
    let me = one.identity("me").expect("an identity");
    let spec = DatabaseSpec::documents("notes", [me.id()]);
    let mut blocks = Vec::new();
    for n in 0..40_i64 {
        let (spec, me) = (spec.clone(), me.clone());
        let put = one.write(Durability::Local, move |writer| {
            let notes = writer.open(&spec)?;
            writer.put(notes, &me, Map::from_iter([("_id", n.to_string())]))?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(notes)
        });
        let notes = put.await.expect("it is put");
        let snapshot = one.snapshot().expect("a snapshot");
        let head: Hash = snapshot.heads(notes).expect("heads")[0];
        blocks.push((head, snapshot.block(&head).expect("a block").expect("it is here")));
    }
    let (_, newest) = blocks.pop().expect("the newest");
    let identity = me.bytes().to_vec();

    // a daemon that is connected to ours has the others
    let (there, here) = (KuboDaemon::start(), KuboDaemon::start());
    here.ipfs_ok(&["swarm", "connect", &there.peer_address()]);
    let mut car = CarWriter::new(&[]);
    for (hash, block) in &blocks {
        car.block(&hash.cid(), block);
    }
    let kubo = Kubo::new(there.url().as_str().into()).expect("a client");
    kubo.dag_import(vec![car.finish()], 1 << 20).await.expect("they are stored");

    let courier = two.ship(here.url().as_str().into(), false).await.expect("it ships");
    let replication = courier.replicate("ancestors").expect("it replicates");
    let opened = two.write(Durability::Local, move |writer| writer.open(&spec)).await.expect("it opens");
    replication.open(opened).await.expect("it is replicated");
    let receipt = two.receive(opened, "a peer", vec![identity], vec![newest.to_vec()]).await.expect("it is received");
    assert_eq!(receipt.joined, 0);
    let entries = || two.snapshot().expect("a snapshot").entries(opened).expect("a count");
    until("joined", async || entries() == 40, || format!("{} entries, {:#?}", entries(), courier.status())).await;
    drop(replication);
    drop(courier);
    for node in [one, two] {
        node.close().await.expect("it closes");
    }
}
