//! A database that was dropped is taken over again, though its blocks never left the folder.

use crate::PATIENCE;
use debros_core::Map;
use debros_orbit::{DatabaseSpec, Durability, NoSchema, Node, NodeOptions, ReadDocuments as _};
use debros_tests::KuboDaemon;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dropped_joins_again() {
    let (folder, daemon) = (tempfile::tempdir().expect("a folder"), KuboDaemon::start());
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).expect("it opens");
    let me = node.identity("me").expect("an identity");
    let spec = DatabaseSpec::documents("notes", [me.id()]);
    let opened = spec.clone();
    let put = node.write(Durability::Local, move |writer| {
        let notes = writer.open(&opened)?;
        for n in 0..1_500_i64 {
            writer.put(notes, &me, Map::from_iter([("_id", n.to_string())]))?;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(notes)
    });
    let notes = put.await.expect("they are put");
    let courier = node.ship(daemon.url().as_str().into(), false).await.expect("it ships");
    courier.pinned(&node.snapshot().expect("a snapshot"), PATIENCE).await.expect("it is confirmed");
    let root = courier.root(notes).await.expect("it is pinned").expect("a root");
    let done = courier.catch_up(spec.clone(), root).await.expect("it is taken over");
    assert_eq!((done.joined, done.known, done.fetched), (0, 1_500, 0));

    node.drop_database(notes).await.expect("it is dropped");
    let done = courier.catch_up(spec.clone(), root).await.expect("it is taken over");
    assert_eq!((done.joined, done.known, done.waiting, done.fetched), (1_500, 0, 0, 0));
    let snapshot = node.snapshot().expect("a snapshot");
    let again = snapshot.at(&spec.address().expect("an address")).expect("it is read").expect("it is open").id;
    assert_eq!(snapshot.entries(again).expect("a count"), 1_500);
    drop(snapshot);
    assert!(node.verify().expect("a report").is_clean());
    drop(courier);
    node.close().await.expect("it closes");
}
