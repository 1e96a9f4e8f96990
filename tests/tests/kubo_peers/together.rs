//! Who is connected has the same.

use crate::{Message, NewNote, Note, Peer, open};
use debros::{KuboReadError, OpenError, Pubsub, prelude::*};
use debros_tests::{KuboDaemon, KuboDaemonOptions};

#[tokio::test(flavor = "multi_thread")]
async fn two_applications_become_the_same_whoever_writes_and_whenever() {
    let (one, mut two) = (Peer::start().await, Peer::start().await);
    one.write(0..50).await;
    two.write(50..80).await;
    one.connect(&two);
    for peer in [&one, &two] {
        peer.has(0..80).await;
    }
    one.agrees().await;
    two.agrees().await;
    // at the same moment
    tokio::join!(one.write(80..100), two.write(100..120));
    for peer in [&one, &two] {
        peer.has(0..120).await;
    }

    // one is away, and both write
    two.db.close().await.expect("it closes");
    two.daemon.stop();
    one.write(120..140).await;
    (two.db, two.me) = open(two.folder.path(), &two.daemon.url()).await;
    two.write(140..160).await;
    two.daemon.start_again();
    one.connect(&two);
    for (peer, other) in [(&one, &two), (&two, &one)] {
        peer.has(0..160).await;
        peer.agrees().await;
        peer.drained().await;
        peer.clean().await;
        assert!(peer.hints().last_agreed.is_some());
        let lasting = || peer.daemon.ipfs_ok(&["swarm", "peering", "ls"]);
        let other = other.daemon.peer_id();
        crate::until("staying connected", async || lasting().contains(&other), lasting).await;
        peer.db.clone().close().await.expect("it closes");
        assert!(!lasting().contains(&other), "it is for the replication only");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_a_user_of_this_device_is_opened_with_the_identity() {
    let of_notes = async |db: &Db| -> Vec<(String, String)> {
        let all = db.addresses().await.expect("addresses");
        all.into_iter().filter(|(name, _)| name.contains("Note")).collect()
    };
    // no daemon is there
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let nowhere = "http://127.0.0.1:1";
    let (db, me) = open(one.path(), nowhere).await;
    let mine = of_notes(&db).await;
    assert_eq!(mine.len(), 1, "{mine:?}");
    let key = db.identity("me").await.expect("an identity").export();
    let (other, _) = open(two.path(), nowhere).await;
    let imported = other.import_identity("elsewhere", &key).await.expect("it is imported");
    assert_eq!(imported.user(), me.user());
    let theirs = of_notes(&other).await;
    assert!(theirs.len() == 2 && theirs.contains(&mine[0]), "{theirs:?}");
    for db in [db, other] {
        db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_late_and_whom_they_follow() {
    let (one, two) = (Peer::start().await, Peer::start().await);
    one.connect(&two);
    one.write(0..20).await;
    for number in 0..5 {
        one.me.create(NewNote { number }).await.expect("it is stored");
    }
    let user = one.me.user();
    two.has(0..20).await;
    assert_eq!(two.notes_of(user).await, 0, "nobody follows them");
    two.db.kubo().follow(user).await.expect("it is followed");
    let there = async |peer: &Peer, count| {
        crate::until("followed", async || peer.notes_of(user).await == count, || format!("{:#?}", peer.hints())).await;
    };
    there(&two, 5).await;

    // connected to one of them only, and nobody writes any more
    two.agrees().await;
    let three = Peer::start().await;
    three.connect(&two);
    three.has(0..20).await;
    three.db.kubo().follow(user).await.expect("it is followed");
    there(&three, 5).await;
    // the daemon has been told of the other one
    let other = one.daemon.peer_id();
    let connected = async || three.daemon.ipfs_ok(&["swarm", "peers"]).contains(&other);
    crate::until("connected", connected, || format!("{:#?}", three.hints())).await;
    three.write(20..30).await;
    one.has(0..30).await;
    // who is followed stays followed
    three.db.close().await.expect("it closes");
    one.me.create(NewNote { number: 5 }).await.expect("it is stored");
    let (db, me) = open(three.folder.path(), &three.daemon.url()).await;
    let three = Peer { db, me, ..three };
    there(&three, 6).await;
    for peer in [one, two, three] {
        peer.clean().await;
        peer.db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_applications_at_one_daemon_become_the_same() {
    let one = Peer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (db, me) = open(folder.path(), &one.daemon.url()).await;
    let other = KuboDaemon::start();
    let two = Peer { daemon: other, folder, db, me };
    one.write(0..30).await;
    two.write(30..40).await;
    one.has(0..40).await;
    two.has(0..40).await;
    one.agrees().await;
    for peer in [one, two] {
        peer.db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_without_pubsub_is_told_of_and_nothing_else_is_missing() {
    let daemon = KuboDaemonOptions::new().setting("Pubsub.Enabled", false.into()).start();
    let peer = Peer::with(daemon).await;
    let off = async || peer.hints().pubsub == Pubsub::Off;
    crate::until("told", off, || format!("{:#?}", peer.hints())).await;
    let (_, error) = peer.hints().last_error.expect("a reason");
    assert!(error.contains("ipfs config --json Pubsub.Enabled true"), "{error}");
    peer.write(0..10).await;
    peer.drained().await;
    assert_eq!(peer.db.kubo().status().last_error, None);
    peer.db.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = Db::builder(folder.path(), "chat").kubo_peers(true).open(models![Message, Note]).await;
    let error = open.expect_err("no daemon is named");
    assert!(matches!(error, OpenError::NoKubo) && error.to_string().contains(".kubo("), "{error}");
    let daemon = KuboDaemon::start();
    let db = Db::builder(folder.path(), "chat").kubo(daemon.url()).open(models![Message, Note]).await;
    let db = db.expect("it opens");
    let me = db.identity("me").await.expect("an identity");
    assert!(matches!(db.kubo().follow(me.user()).await, Err(KuboReadError::NoPeers)));
    assert_eq!(db.kubo().status().hints, None);
    db.close().await.expect("it closes");
}
