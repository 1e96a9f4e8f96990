//! Messages, daemons and repositories are lost.

use crate::{Peer, open};
use debros_tests::{Fault, FaultProxy, Held, KuboDaemon};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_on_the_topic_is_said_again() {
    let two = Peer::start().await;
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let folder = tempfile::tempdir().expect("a folder");
    let (db, me) = open(folder.path(), &proxy.url()).await;
    let one = Peer { daemon, folder, db, me };
    one.connect(&two);
    one.write(0..10).await;
    two.has(0..10).await;
    one.agrees().await;

    proxy.set(Fault::LosePublished);
    let (sent, received) = (one.hints().sent, two.hints().received);
    one.write(10..20).await;
    // some are lost
    crate::until("said", async || one.hints().sent >= sent + 3, || format!("{:#?}", one.hints())).await;
    // of these none, but maybe one that was on its way
    assert!(two.hints().received <= received + 1, "{received}: {:#?}", two.hints());
    assert_eq!(two.numbers().await.len(), 10);
    proxy.set(Fault::Pass);
    two.has(0..20).await;
    // the other way round: it is heard, and what is answered is lost
    proxy.set(Fault::LosePublished);
    two.write(20..30).await;
    one.has(0..30).await;
    proxy.set(Fault::Pass);
    // the connection to the daemon ends again and again
    for round in 0..5 {
        proxy.disconnect();
        one.write(30 + 10 * round..40 + 10 * round).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    two.has(0..80).await;
    for peer in [&one, &two] {
        peer.agrees().await;
    }
    for peer in [one, two] {
        peer.db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn daemons_are_stopped_emptied_and_collected_and_nothing_is_lost() {
    let (mut one, mut two) = (Peer::start().await, Peer::start().await);
    one.connect(&two);
    one.write(0..40).await;
    two.has(0..40).await;

    one.agrees().await;
    two.agrees().await;

    // stopped and started again; it is told whom it was connected to
    one.daemon.stop();
    two.write(40..60).await;
    one.write(60..80).await;
    one.daemon.start_again();
    for peer in [&one, &two] {
        peer.has(0..80).await;
    }

    // killed, and the repository is gone: a new one, of another id
    two.daemon.kill();
    two.daemon.wipe();
    one.write(80..100).await;
    two.write(100..120).await;
    for peer in [&one, &two] {
        peer.has(0..120).await;
    }
    // both at once: now nobody knows where the other is
    one.daemon.wipe();
    two.daemon.wipe();
    one.connect(&two);
    one.write(120..140).await;
    for peer in [&one, &two] {
        peer.has(0..140).await;
        peer.drained().await;
    }

    for peer in [&one, &two] {
        peer.daemon.ipfs_ok(&["repo", "gc"]);
    }
    two.write(140..160).await;
    for peer in [&one, &two] {
        peer.has(0..160).await;
        peer.agrees().await;
        peer.drained().await;
        peer.daemon.ipfs_ok(&["repo", "gc"]);
        let held = Held::by(&peer.daemon).await;
        held.has_once(0..160);
        assert_eq!(held.pins as u64, peer.db.kubo().status().pins);
        let pins = peer.daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
        assert!(!pins.contains("catching-up"), "{pins}");
        peer.clean().await;
    }
    // what is there is enough for somebody who joins now
    let three = Peer::start().await;
    three.connect(&one);
    three.has(0..160).await;
    for peer in [one, two, three] {
        peer.db.close().await.expect("it closes");
    }
}
