//! Each call.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use debros_ipfs::{Bytes, CarWriter, Cid, Kubo, KuboError, KuboOptions, KuboPin};
use debros_tests::{KuboDaemon, KuboDaemonOptions, LinkedBlocks};

use crate::client;

/// Everything below a root.
async fn exported(kubo: &Kubo, root: &Cid) -> Result<Vec<(Cid, Bytes)>, KuboError> {
    let mut blocks = kubo.dag_export(root).await?;
    let mut all = Vec::new();
    while let Some(block) = blocks.next().await? {
        all.push(block);
    }
    Ok(all)
}

/// The pins beside the one of the empty folder, which every daemon has.
async fn pins(kubo: &Kubo, kind: &str) -> Vec<KuboPin> {
    let mut pins = kubo.pins(kind, None).await.expect("the daemon lists its pins");
    pins.retain(|pin| pin.cid.to_string() != "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    pins
}

/// What was exported is what was imported, the root first.
fn assert_exported(exported: Vec<(Cid, Bytes)>, sent: &LinkedBlocks) {
    assert_eq!(exported[0], sent.blocks[0]);
    assert_eq!(exported.len(), sent.blocks.len());
    let map = |blocks: Vec<_>| blocks.into_iter().collect::<BTreeMap<Cid, Bytes>>();
    assert_eq!(map(exported), map(sent.blocks.clone()));
}

#[tokio::test]
async fn a_daemon_is_stopped_started_again_and_wiped() {
    let mut daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let first = kubo.check().await.unwrap();
    assert_eq!(first.peer, daemon.peer_id());
    assert!(first.addresses.iter().any(|address| *address == daemon.peer_address()), "{first:?}");
    assert_eq!(format!("ipfs version {}\n", first.version), daemon.ipfs_ok(&["version"]));
    daemon.stop();
    assert!(matches!(kubo.check().await, Err(KuboError::Unreachable { .. })));
    daemon.start_again();
    assert_eq!(kubo.check().await.unwrap().peer, first.peer);
    // a connection that is kept does not outlive its daemon, and the next call notices
    daemon.kill();
    daemon.start_again();
    assert_eq!(kubo.check().await.unwrap().peer, first.peer);
    daemon.wipe();
    assert_ne!(kubo.check().await.unwrap().peer, first.peer);
}

#[tokio::test]
async fn what_is_imported_is_counted_and_can_be_read() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("import", 300, 300);
    let car = sent.car();
    let pieces = vec![car.slice(..1), Bytes::new(), car.slice(1..5_000), car.slice(5_000..)];
    let imported = kubo.dag_import(pieces, sent.largest()).await.unwrap();
    assert_eq!((imported.blocks, imported.bytes), (301, sent.bytes()));
    assert_eq!(imported.roots, []);
    assert!(!kubo.is_pinned(&sent.root()).await.unwrap());
    for (cid, data) in &sent.blocks {
        assert_eq!(kubo.block_get_local(cid).await.unwrap().as_ref(), Some(data));
    }
    let found = kubo.block_get(&sent.root(), Duration::from_secs(60)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&sent.blocks[0].1));
    assert_exported(exported(&kubo, &sent.root()).await.unwrap(), &sent);

    let pinned = kubo.dag_import_pinned(vec![car], sent.largest()).await.unwrap();
    assert_eq!((pinned.blocks, pinned.bytes), (301, sent.bytes()));
    assert_eq!(pinned.roots, [sent.root()]);
    assert!(kubo.is_pinned(&sent.root()).await.unwrap());
    // a leaf is pinned by its root only
    assert!(!kubo.is_pinned(&sent.blocks[1].0).await.unwrap());
    let listed = daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--quiet"]);
    assert!(listed.lines().any(|line| line == sent.root().to_string()), "{listed}");
    let shown = daemon.ipfs_ok(&["dag", "get", &format!("{}/links/7/name", sent.root())]);
    assert_eq!(shown.trim(), "\"import 7\"");
}

/// A text that anybody may store must not end the file in which blocks are sent.
#[tokio::test]
async fn what_looks_like_the_end_of_a_request_is_imported() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("\r\n--debros-7d1fe2b0c8f44a5e--\r\n", 3, 300);
    let imported = kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap();
    assert_eq!((imported.blocks, imported.bytes), (4, sent.bytes()));
    assert_exported(exported(&kubo, &sent.root()).await.unwrap(), &sent);
}

#[tokio::test]
async fn many_megabytes_are_imported_and_exported() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("large", 200, 200_000);
    let imported = kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap();
    assert_eq!((imported.blocks, imported.bytes), (201, sent.bytes()));
    assert_exported(exported(&kubo, &sent.root()).await.unwrap(), &sent);
}

#[tokio::test]
async fn large_blocks_are_taken_when_they_are_announced() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("a large block", 1, 3 << 20);
    let refused = kubo.dag_import(vec![sent.car()], 100).await.unwrap_err();
    assert!(matches!(&refused, KuboError::Refused { call: "dag/import", .. }), "{refused:?}");
    assert_eq!(kubo.dag_import(vec![sent.car()], sent.largest()).await.unwrap().blocks, 2);
    assert_eq!(kubo.block_get_local(&sent.blocks[1].0).await.unwrap().as_ref(), Some(&sent.blocks[1].1));
}

#[tokio::test]
async fn a_file_that_is_none_or_lacks_a_block_is_refused() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("incomplete", 3, 100);
    // the root itself is missing
    let refused = kubo.dag_import_pinned(vec![sent.car_without(&[0])], sent.largest()).await.unwrap_err();
    assert!(matches!(&refused, KuboError::Refused { call: "dag/import", .. }), "{refused:?}");
    // a block below it is missing, for which the daemon looks
    let sent = LinkedBlocks::new("incomplete, too", 3, 100);
    let hasty = Kubo::new(KuboOptions::new(daemon.url()).answer_within(Duration::from_millis(100))).unwrap();
    let error = hasty.dag_import_pinned(vec![sent.car_without(&[2])], sent.largest()).await.unwrap_err();
    assert!(matches!(&error, KuboError::Timeout { call: "dag/import", .. }), "{error:?}");
    assert!(!kubo.is_pinned(&sent.root()).await.unwrap());
    let mut forged = sent.car().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    for bytes in [forged, b"this is no CAR file".to_vec()] {
        let refused = kubo.dag_import(vec![bytes.into()], sent.largest()).await.unwrap_err();
        assert!(matches!(&refused, KuboError::Refused { call: "dag/import", .. }), "{refused:?}");
    }
    // to nothing at all the daemon says nothing at all
    let error = kubo.dag_import(Vec::new(), 0).await.unwrap_err();
    assert!(matches!(&error, KuboError::Broken { call: "dag/import", .. }), "{error:?}");
}

#[tokio::test]
async fn pins_have_names_and_are_listed_and_removed() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    assert_eq!(pins(&kubo, "all").await, []);
    assert_eq!(kubo.pins_named("debros/").await.unwrap(), []);
    let [first, second] = ["first", "second"].map(|name| LinkedBlocks::new(name, 2, 50));
    for sent in [&first, &second] {
        assert_eq!(kubo.dag_import(vec![sent.car()], sent.largest()).await.unwrap().blocks, 3);
    }
    kubo.pin_add(&first.root(), "debros/app/one").await.unwrap();
    kubo.pin_add(&second.root(), "other/two").await.unwrap();
    let named = kubo.pins_named("debros/app/").await.unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!((named[0].cid, &*named[0].name, &*named[0].kind), (first.root(), "debros/app/one", "recursive"));
    assert_eq!(pins(&kubo, "recursive").await.len(), 2);
    assert_eq!(kubo.pins("direct", None).await.unwrap(), []);
    assert_eq!(pins(&kubo, "indirect").await.len(), 4);
    assert_eq!(pins(&kubo, "all").await.len(), 6);
    assert!(daemon.ipfs_ok(&["pin", "ls", "--names"]).contains("debros/app/one"));

    // pinned again it has the new name
    kubo.pin_add(&first.root(), "debros/app/renamed").await.unwrap();
    assert_eq!(kubo.pins_named("debros/app/one").await.unwrap(), []);
    assert_eq!(kubo.pins_named("debros/app/renamed").await.unwrap().len(), 1);

    kubo.pin_rm(&first.root()).await.unwrap();
    assert!(!kubo.is_pinned(&first.root()).await.unwrap());
    assert!(kubo.is_pinned(&second.root()).await.unwrap());
    kubo.pin_rm(&first.root()).await.unwrap();
    // what is pinned by its root only is not pinned by itself, and stays
    kubo.pin_rm(&second.blocks[1].0).await.unwrap();
    daemon.ipfs_ok(&["repo", "gc"]);
    assert_eq!(kubo.block_get_local(&first.root()).await.unwrap(), None);
    for (cid, data) in &second.blocks {
        assert_eq!(kubo.block_get_local(cid).await.unwrap().as_ref(), Some(data));
    }
}

#[tokio::test]
async fn a_root_with_a_missing_block_is_not_pinned() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("missing", 3, 50);
    kubo.dag_import(vec![sent.car_without(&[2])], sent.largest()).await.unwrap();
    // the daemon is online, and would look for it for ever
    let error = kubo.pin_add(&sent.root(), "debros/missing").await.unwrap_err();
    let KuboError::Refused { call: "pin/add", message, .. } = &error else { panic!("{error:?}") };
    assert!(message.contains(&sent.blocks[2].0.to_string()), "{message}");
    assert_eq!(pins(&kubo, "all").await, []);
    let nothing = LinkedBlocks::new("nothing of it", 1, 1);
    let error = kubo.pin_add(&nothing.root(), "debros/nothing").await.unwrap_err();
    assert!(matches!(&error, KuboError::Refused { call: "pin/add", .. }), "{error:?}");
    kubo.dag_import(vec![sent.car()], sent.largest()).await.unwrap();
    kubo.pin_add(&sent.root(), "debros/missing").await.unwrap();
    let long = "n".repeat(256);
    assert!(matches!(kubo.pin_add(&sent.root(), &long).await, Err(KuboError::Refused { .. })));
}

#[tokio::test]
async fn a_block_that_nobody_has_is_none() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let nowhere = LinkedBlocks::new("nowhere", 1, 1).root();
    assert_eq!(kubo.block_get_local(&nowhere).await.unwrap(), None);
    assert_eq!(kubo.block_get(&nowhere, Duration::from_millis(300)).await.unwrap(), None);
    assert_eq!(kubo.block_get(&nowhere, Duration::ZERO).await.unwrap(), None);
    // a hash that is not known here is not asked for in vain
    let blake3: Cid = "bafkr4icx34o5ry6wzccwgrqvo5tfwhl5mfkpkkv3ltkh4xztyxnmxkh4u4".parse().unwrap();
    assert_eq!(kubo.block_get_local(&blake3).await.unwrap(), None);
}

#[tokio::test]
async fn blocks_come_from_another_daemon() {
    let (one, two) = (KuboDaemon::start(), KuboDaemon::start());
    let (has, lacks) = (client(one.url()), client(two.url()));
    assert_eq!(lacks.swarm_peers().await.unwrap(), [""; 0]);
    let [first, second, third, fourth] =
        ["first", "second", "third", "fourth"].map(|name| LinkedBlocks::new(name, 50, 300));
    for sent in [&first, &second, &third, &fourth] {
        has.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap();
    }
    lacks.swarm_connect(&one.peer_address()).await.unwrap();
    assert_eq!(lacks.swarm_peers().await.unwrap(), [one.peer_id()]);
    assert_eq!(has.swarm_peers().await.unwrap(), [two.peer_id()]);

    let (leaf, data) = &first.blocks[7];
    assert_eq!(lacks.block_get_local(leaf).await.unwrap(), None);
    assert_eq!(lacks.block_get(leaf, Duration::from_secs(60)).await.unwrap().as_ref(), Some(data));
    assert_eq!(lacks.block_get_local(leaf).await.unwrap().as_ref(), Some(data));

    lacks.pin_add_from_peers(&second.root(), "debros/second").await.unwrap();
    assert_eq!(lacks.pins_named("debros/second").await.unwrap().len(), 1);
    for (cid, data) in &second.blocks {
        assert_eq!(lacks.block_get_local(cid).await.unwrap().as_ref(), Some(data));
    }
    assert_exported(exported(&lacks, &third.root()).await.unwrap(), &third);
    // a root that it lacks it does not look for, unless it is told to; but for what is below one that it has
    let refused = lacks.pin_add(&fourth.root(), "debros/fourth").await.unwrap_err();
    assert!(matches!(&refused, KuboError::Refused { call: "pin/add", .. }), "{refused:?}");
    let mut root = CarWriter::new(&[fourth.root()]);
    root.block(&fourth.root(), &fourth.blocks[0].1);
    lacks.dag_import(vec![root.finish()], fourth.largest()).await.unwrap();
    lacks.pin_add(&fourth.root(), "debros/fourth").await.unwrap();
    assert_eq!(lacks.pins_named("debros/").await.unwrap().len(), 2);

    let gone = KuboDaemon::start().peer_address();
    let error = has.swarm_connect(&gone).await.unwrap_err();
    assert!(matches!(&error, KuboError::Refused { call: "swarm/connect", .. }), "{error:?}");
    assert!(lacks.swarm_connect("no address").await.is_err());
}

#[tokio::test]
async fn a_root_that_no_peer_has_is_given_up() {
    let daemon = KuboDaemon::start();
    let options = KuboOptions::new(daemon.url()).answer_within(Duration::from_millis(1_500));
    let kubo = Kubo::new(options).unwrap();
    let sent = LinkedBlocks::new("nobody's", 3, 50);
    let error = kubo.pin_add_from_peers(&sent.root(), "debros/nobody").await.unwrap_err();
    assert!(matches!(&error, KuboError::Timeout { call: "pin/add", .. }), "{error:?}");
    kubo.dag_import(vec![sent.car_without(&[1])], sent.largest()).await.unwrap();
    let error = kubo.pin_add_from_peers(&sent.root(), "debros/nobody").await.unwrap_err();
    assert!(matches!(&error, KuboError::Timeout { call: "pin/add", .. }), "{error:?}");
    let error = exported(&kubo, &sent.root()).await.unwrap_err();
    assert!(matches!(&error, KuboError::Timeout { call: "dag/export", .. }), "{error:?}");
    assert_eq!(pins(&kubo, "recursive").await, []);
}

#[tokio::test]
async fn a_daemon_tells_of_its_settings_and_of_its_size() {
    let daemon = KuboDaemonOptions::new().storage_max("123MB").start();
    let kubo = client(daemon.url());
    let config = kubo.config().await.unwrap();
    assert_eq!(config["Provide"]["Enabled"], false);
    assert_eq!(config["Identity"]["PeerID"], daemon.peer_id());
    assert!(config["Identity"].get("PrivKey").is_none());
    let before = kubo.repo_stat(true).await.unwrap();
    assert_eq!(before.storage_max, 123_000_000);
    let sent = LinkedBlocks::new("size", 100, 5_000);
    kubo.dag_import(vec![sent.car()], sent.largest()).await.unwrap();
    let after = kubo.repo_stat(true).await.unwrap();
    assert_eq!(after.num_objects, before.num_objects + 101);
    assert!(after.repo_size >= before.repo_size + sent.bytes(), "{before:?}, {after:?}");
    assert_eq!(kubo.repo_stat(false).await.unwrap().num_objects, 0);
}

/// Waits until it is so.
async fn until(is: impl AsyncFn() -> bool) {
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while !is().await {
        assert!(tokio::time::Instant::now() < end, "it does not become so");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_published_is_heard_by_connected_daemons_and_too_large_messages_are_passed_over() {
    let (one, two) = (KuboDaemon::start(), KuboDaemon::start());
    let (speaks, listens) = (client(one.url()), client(two.url()));
    listens.swarm_connect(&one.peer_address()).await.unwrap();
    let topic = "/debros/test/ä";
    let mut heard = listens.pubsub_sub(topic, 1_000).await.unwrap();
    let mut own = speaks.pubsub_sub(topic, 1_000).await.unwrap();
    until(async || speaks.pubsub_peers(topic).await.unwrap() == [two.peer_id()]).await;
    assert_eq!(speaks.pubsub_peers("another topic").await.unwrap(), [""; 0]);
    // A daemon loses messages: what is said before it has chosen whom it tells, and what it hears after a later one. So all is said
    // again until all is heard: more than a line may have, more than is wanted, something, and nothing.
    let mut again = tokio::time::interval(Duration::from_secs(1));
    let mut heard_lengths = [BTreeSet::new(), BTreeSet::new()];
    for (subscription, lengths) in [&mut heard, &mut own].into_iter().zip(&mut heard_lengths) {
        while lengths.len() < 2 || subscription.skipped() == 0 {
            tokio::select! {
                _ = again.tick() => for data in [vec![1; 900_000], vec![2; 1_001], vec![3; 1_000], Vec::new()] {
                    speaks.pubsub_pub(topic, data.into()).await.unwrap();
                },
                message = subscription.next() => {
                    let message = message.unwrap().expect("the daemon runs");
                    assert_eq!(message.from, one.peer_id());
                    lengths.insert(message.data.len());
                }
            }
        }
        assert_eq!(*lengths, BTreeSet::from([0, 1_000]));
    }
    drop(two);
    while let Ok(Some(message)) = heard.next().await {
        // what was said before the daemon went
        assert_eq!(message.from, one.peer_id());
    }
}

#[tokio::test]
async fn a_daemon_stays_connected_to_a_peer_that_it_is_told_of() {
    let (one, two) = (KuboDaemon::start(), KuboDaemon::start());
    let kubo = client(one.url());
    let unreached = format!("/ip4/127.0.0.1/tcp/1/p2p/{}", two.peer_id());
    // of several addresses none replaces another
    kubo.swarm_peering_add(&[two.peer_address(), unreached]).await.unwrap();
    assert_eq!(kubo.swarm_peering_ls().await.unwrap(), [two.peer_id()]);
    until(async || kubo.swarm_peers().await.unwrap() == [two.peer_id()]).await;
    kubo.swarm_peering_rm(&two.peer_id()).await.unwrap();
    assert_eq!(kubo.swarm_peering_ls().await.unwrap(), [""; 0]);
    assert!(kubo.swarm_peering_add(&["nonsense".to_owned()]).await.is_err());
    assert!(kubo.swarm_peering_rm("nonsense").await.is_err());
}

#[tokio::test]
async fn a_daemon_without_pubsub_says_what_to_set() {
    let daemon = KuboDaemonOptions::new().setting("Pubsub.Enabled", false.into()).start();
    let kubo = client(daemon.url());
    let errors = [
        kubo.pubsub_sub("x", 1).await.err(),
        kubo.pubsub_pub("x", Bytes::new()).await.err(),
        kubo.pubsub_peers("x").await.err(),
    ];
    for error in errors {
        let error = error.expect("it is off");
        assert!(matches!(error, KuboError::NoPubsub { .. }), "{error:?}");
        assert!(!error.is_unreachable() && error.to_string().contains("Pubsub.Enabled true"), "{error}");
    }
}
