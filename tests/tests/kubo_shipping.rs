//! Blocks in a real Kubo daemon: shipped, pinned, and safe from its absence. The daemon is really stopped, killed and
//! emptied.

use debros::{KuboOptions, KuboReadError, NotPinned, OpenError, ShippingStatus, WriteError, prelude::*};
use debros_tests::{Fault, FaultProxy, Held, KuboDaemon, number_of};
use ipld_core::cid::Cid;
use std::{path::Path, time::Duration};

/// What is written.
#[model(scope = user)]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Its key.
    #[field(key)]
    pub id: Id<Note>,
    /// Counts.
    #[field(index)]
    pub number: i64,
    /// Ballast.
    pub text: String,
}

/// Enough for a busy machine; what takes so long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

fn note(number: i64) -> NewNote {
    NewNote { number, text: format!("note {number} ").repeat(8) }
}

async fn open(folder: &Path, daemon: &str) -> Db {
    Db::builder(folder, "notes").kubo(daemon).open(models![Note]).await.expect("it opens")
}

async fn session(db: &Db) -> Session {
    db.session(&db.identity("me").await.expect("an identity"))
}

/// Waits until the status is as it should become.
async fn until(db: &Db, what: &str, is: impl Fn(&ShippingStatus) -> bool) -> ShippingStatus {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let status = db.kubo().status();
        if is(&status) {
            return status;
        }
        assert!(tokio::time::Instant::now() < end, "not {what}: {status:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn drained(db: &Db) -> ShippingStatus {
    db.kubo().flush(PATIENCE).await.expect("everything is confirmed");
    until(db, "drained", |status| status.reachable && status.outbox_entries == 0 && !status.mending).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_pinned_by_name_readable_and_safe_from_collection() {
    let daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    // something of somebody else's
    let others = folder.path().join("others.txt");
    std::fs::write(&others, "of another program").expect("it is written");
    let other = daemon.ipfs_ok(&["add", "--quieter", "--pin", others.to_str().expect("a path")]).trim().to_owned();

    let db = open(folder.path(), &daemon.url()).await;
    let me = session(&db).await.durability(Durability::Pinned);
    for number in 0..3 {
        me.create(note(number)).await.expect("it is pinned");
    }
    let rest: Vec<_> = (3..1_500).map(note).collect();
    me.batch().create_all(rest).await.expect("they are pinned");
    let status = drained(&db).await;
    assert_eq!((status.last_error, status.foreign_pins), (None, 0));
    assert!(status.version.is_some_and(|version| version.starts_with("0.")));

    let names = daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
    let ours = names.lines().filter(|line| line.contains(" debros/notes/Note.zdpu")).count();
    assert!(ours > 0 && ours as u64 == status.pins, "{names}");
    daemon.ipfs_ok(&["repo", "gc"]);
    let held = Held::by(&daemon).await;
    held.has_once(0..1_500);
    let (cid, (payload, _)) = held.entries.iter().next().expect("an entry");
    let shown = daemon.ipfs_ok(&["dag", "get", cid]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let record = &shown["payload"]["value"];
    assert_eq!((record["number"].as_i64(), record["_v"].as_i64()), (Some(number_of(payload)), Some(1)), "{shown:#}");
    assert!(record["text"].as_str().is_some_and(|text| text.starts_with("note ")), "{shown:#}");
    assert_eq!(daemon.ipfs_ok(&["cat", &other]), "of another program");
    db.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn pins_grow_with_the_logarithm_of_the_shipments() {
    let daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    let db = open(folder.path(), &daemon.url()).await;
    let me = session(&db).await.durability(Durability::Pinned);
    for number in 0..150 {
        me.create(note(number)).await.expect("it is pinned");
    }
    until(&db, "merged", |status| status.pins <= 3 * 7).await;
    // a pin is removed after the one in its place is confirmed, so there may be some more for a moment
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let held = Held::by(&daemon).await;
        if held.pins as u64 == db.kubo().status().pins {
            held.has_once(0..150);
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{} pins, {:#?}", held.pins, db.kubo().status());
    }
    db.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_goes_away_stops_nothing_and_gets_the_rest_when_it_is_back() {
    let mut daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::builder(folder.path(), "notes")
        .kubo(daemon.url())
        .pinned_within(Duration::from_millis(300))
        .open(models![Note])
        .await
        .expect("it opens");
    let me = session(&db).await;
    me.create(note(0)).await.expect("it is stored");
    drained(&db).await;

    daemon.stop();
    for number in 1..500 {
        me.create(note(number)).await.expect("it is stored without a daemon");
    }
    let refused = me.clone().durability(Durability::Pinned).create(note(500)).await;
    let Err(WriteError::NotPinned(NotPinned { url, .. })) = &refused else { panic!("{refused:?}") };
    assert_eq!(*url, daemon.url());
    let text = refused.expect_err("it is not pinned").to_string();
    assert!(text.contains("stored and durable") && text.contains("not to be written again"), "{text}");
    assert_eq!(Note::query().count(&me).await.expect("a count"), 501, "it was written all the same");
    let status = until(&db, "noticed", |status| !status.reachable && status.outbox_entries == 500).await;
    assert!(status.outbox_bytes > 0);
    let (_, error) = status.last_error.expect("an error");
    assert!(error.contains(&daemon.url()), "{error}");

    daemon.start_again();
    drained(&db).await;
    Held::by(&daemon).await.has_once(0..501);

    // killed in the middle of much to do
    let many: Vec<_> = (501..8_000).map(note).collect();
    me.batch().create_all(many).await.expect("they are stored");
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.kill();
    daemon.start_again();
    drained(&db).await;
    Held::by(&daemon).await.has_once(0..8_000);
    db.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_daemon_lost_is_noticed_and_shipped_again() {
    let mut daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    let db = open(folder.path(), &daemon.url()).await;
    let me = session(&db).await;
    for round in 0..3 {
        me.batch().create_all((0..20).map(|n| note(round * 20 + n))).await.expect("they are stored");
        drained(&db).await;
    }

    // a new repository at the same address
    let peer = db.kubo().status().peer;
    daemon.wipe();
    until(&db, "noticed", |status| status.peer.is_some() && status.peer != peer).await;
    drained(&db).await;
    Held::by(&daemon).await.has_once(0..60);

    // the same repository, whose pins and blocks somebody removed
    let names = daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
    for line in names.lines().filter(|line| line.contains(" debros/")) {
        daemon.ipfs_ok(&["pin", "rm", line.split(' ').next().expect("a CID")]);
    }
    daemon.ipfs_ok(&["repo", "gc"]);
    let last = db.kubo().status().last_shipment;
    until(&db, "noticed", |status| status.last_shipment != last).await;
    drained(&db).await;
    me.create(note(60)).await.expect("it is stored");
    drained(&db).await;
    Held::by(&daemon).await.has_once(0..61);
    db.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_opening_is_an_error_unless_it_is_optional() {
    let mut daemon = KuboDaemon::start();
    let url = daemon.url();
    daemon.stop();
    let folder = tempfile::tempdir().expect("a folder");
    let error = Db::builder(folder.path(), "notes").kubo(&*url).open(models![Note]).await.expect_err("nothing answers");
    assert!(matches!(error, OpenError::Kubo(_)));
    assert!(error.to_string().contains(&url) && error.to_string().contains("ipfs daemon"), "{error}");
    let error = Db::builder(folder.path(), "notes").kubo("localhost").optional().open(models![Note]).await;
    assert!(error.expect_err("no address").to_string().contains("http://127.0.0.1:5001"));

    let optional = || Db::builder(folder.path(), "notes").kubo(&*url).optional().open(models![Note]);
    let db = optional().await.expect("the folder was let go, and the daemon is optional");
    let me = session(&db).await;
    me.create(note(1)).await.expect("it is stored");
    until(&db, "counted", |status| !status.reachable && status.outbox_entries == 1).await;
    db.close().await.expect("closing does not wait for what is not there");
    let db = optional().await.expect("it opens");
    until(&db, "counted", |status| !status.reachable && status.outbox_entries == 1).await;
    daemon.start_again();
    drained(&db).await;
    db.close().await.expect("it closes");

    let db = Db::open(folder.path(), "notes", models![Note]).await.expect("it opens");
    let me = session(&db).await.durability(Durability::Pinned);
    assert!(matches!(me.create(note(2)).await, Err(WriteError::NoKubo)));
    assert_eq!(Note::query().count(&me).await.expect("a count"), 1, "nothing was written");
    assert_eq!(db.kubo().status(), ShippingStatus::default());
    assert!(matches!(db.kubo().root("/orbitdb/x").await, Err(KuboReadError::NoDaemon)));
    db.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_folder_takes_a_database_over_through_a_connected_daemon() {
    let (one, two) = (KuboDaemon::start(), KuboDaemon::start());
    one.ipfs_ok(&["swarm", "connect", &two.peer_address()]);
    let folders = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let db = open(folders.0.path(), &one.url()).await;
    let me = session(&db).await;
    // many small shipments, which are merged, and some larger ones
    for number in 0..60 {
        me.clone().durability(Durability::Pinned).create(note(number)).await.expect("it is pinned");
    }
    for round in 0..12 {
        me.batch().create_all((0..95).map(|n| note(60 + round * 95 + n))).await.expect("they are stored");
        drained(&db).await;
    }
    let user = me.user();
    let (_, address) = db.addresses().await.expect("the addresses").remove(0);
    let root = db.kubo().root(&address).await.expect("a root").expect("something is confirmed");
    // what it leads to stays, however lists are merged later
    for number in 1_200..1_216 {
        me.clone().durability(Durability::Pinned).create(note(number)).await.expect("it is pinned");
    }
    one.ipfs_ok(&["repo", "gc"]);

    let other = open(folders.1.path(), &two.url()).await;
    let done = other.kubo().catch_up(&address, &root).await.expect("it is taken over");
    assert_eq!((done.joined, done.known, done.refused, done.waiting), (1_200, 0, 0, 0));
    let theirs = other.view(user);
    let mut rows = Note::query().order_by(|n| n.number.asc()).fetch(&theirs).await.expect("rows");
    let mut mine =
        Note::query().filter(|n| n.number.lt(1_200)).order_by(|n| n.number.asc()).fetch(&me).await.expect("rows");
    rows.sort_by_key(|row| row.number);
    mine.sort_by_key(|row| row.number);
    assert_eq!(rows, mine);
    assert!(other.verify().await.expect("a report").is_clean());
    let again = other.kubo().catch_up(&address, &root).await.expect("it may be repeated");
    assert_eq!((again.joined, again.known), (0, 1_200));
    // what was taken over is kept by the daemon of this folder, too; and the pin around it is gone
    drained(&other).await;
    Held::by(&two).await.has_once(0..1_200);
    assert!(!two.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]).contains("catching-up"));

    // later entries come from a later root
    drained(&db).await;
    let root = db.kubo().root(&address).await.expect("a root").expect("something is confirmed");
    let done = other.kubo().catch_up(&address, &root).await.expect("it is taken over");
    assert_eq!((done.joined, done.known, done.waiting), (16, 1_200, 0));

    // a block by its name, which only the other daemon has
    let json = folders.0.path().join("x.json");
    std::fs::write(&json, "{\"a\":1}").expect("it is written");
    let cid = one.ipfs_ok(&["dag", "put", json.to_str().expect("a path")]);
    let bytes = other.kubo().block(cid.trim(), Duration::from_secs(30)).await.expect("it is asked");
    assert_eq!(bytes.as_deref(), Some(b"\xa1aa\x01".as_slice()));
    // and one that nobody has
    let nowhere = "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae";
    let none = other.kubo().block(nowhere, Duration::from_millis(300)).await.expect("it is asked");
    assert_eq!(none, None);

    // a database of another application, and a root of another database
    let third = tempfile::tempdir().expect("a folder");
    let stranger = Db::builder(third.path(), "other").kubo(two.url()).open(models![Note]).await.expect("it opens");
    let error = stranger.kubo().catch_up(&address, &root).await.expect_err("another application");
    assert!(matches!(error, KuboReadError::OtherApplication { .. }), "{error}");
    let error = other.kubo().catch_up(&address, cid.trim()).await.expect_err("no list");
    assert!(error.to_string().contains("no list of blocks"), "{error}");
    for db in [db, other, stranger] {
        db.close().await.expect("it closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_slow_full_or_cut_off_loses_nothing_and_holds_up_nobody() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let folder = tempfile::tempdir().expect("a folder");
    let options = KuboOptions::new(proxy.url()).answer_within(Duration::from_secs(1));
    let db = Db::builder(folder.path(), "notes").kubo(options).open(models![Note]).await.expect("it opens");
    let me = session(&db).await;
    me.create(note(0)).await.expect("it is stored");
    drained(&db).await;

    let faults = [
        (Fault::NoSpace(20_000), Some("no space left")),
        (Fault::CutRequest(20_000), None),
        (Fault::CutAnswer(40), None),
        (Fault::CutAnswer(400), None),
        (Fault::Stall, Some("has not answered")),
        (Fault::Refuse, Some("no Kubo daemon answers")),
    ];
    let mut number = 1;
    for (fault, says) in faults {
        let before = db.kubo().status().last_error;
        proxy.set(fault);
        for _ in 0..3 {
            me.batch().create_all((number..number + 50).map(note)).await.expect("they are stored");
            number += 50;
        }
        // what was being merged when it began is cut off, too, maybe before the courier has seen what was written
        until(&db, "told, and it waits", |status| {
            let told = status.last_error.as_ref().filter(|_| status.last_error != before);
            told.is_some_and(|(_, error)| says.is_none_or(|says| error.contains(says))) && status.outbox_entries >= 1
        })
        .await;
        assert_eq!(Note::query().count(&me).await.expect("a count"), number as u64, "{fault:?}");
        proxy.set(Fault::Pass);
        drained(&db).await;
        Held::by(&daemon).await.has_once(0..number);
    }
    // slow, but not too slow
    proxy.set(Fault::Delay(Duration::from_millis(100)));
    me.clone().durability(Durability::Pinned).create(note(number)).await.expect("it is pinned");
    proxy.set(Fault::Pass);
    drained(&db).await;
    Held::by(&daemon).await.has_once(0..number + 1);
    assert!(db.verify().await.expect("a report").is_clean());
    db.close().await.expect("it closes");
}

/// A record that links to something.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Link {
    /// Its key.
    #[field(key)]
    pub id: Id<Link>,
    /// What is linked, which need not be anywhere.
    #[field(serde)]
    pub to: Cid,
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_links_in_records_nor_pins_of_others_hold_shipping_up() {
    let daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    let open = || Db::builder(folder.path(), "links").kubo(daemon.url()).open(models![Link, Note]);
    let db = open().await.expect("it opens");
    // nothing was written yet, and nothing is waited for
    db.kubo().flush(PATIENCE).await.expect("there is nothing to confirm");
    let me = session(&db).await.durability(Durability::Pinned);
    let nowhere: Cid = "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae".parse().expect("a CID");
    me.create(NewLink { to: nowhere }).await.expect("a link to nowhere is pinned like any other record");
    me.create(note(0)).await.expect("it is pinned");

    // somebody else's pin, with a name like ours
    let names = daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
    let name = names.lines().find_map(|line| Some(line.rsplit_once(" debros/")?.1)).expect("a pin of ours");
    let json = folder.path().join("x.json");
    std::fs::write(&json, "{\"a\":1}").expect("it is written");
    let stray = daemon.ipfs_ok(&["dag", "put", json.to_str().expect("a path")]);
    daemon.ipfs_ok(&["pin", "add", "--name", &format!("debros/{name}7"), stray.trim()]);
    db.close().await.expect("it closes");
    let db = open().await.expect("it opens");
    let me = session(&db).await.durability(Durability::Pinned);
    me.create(note(1)).await.expect("it is pinned");
    until(&db, "counted", |status| status.foreign_pins == 1).await;
    assert!(daemon.ipfs_ok(&["pin", "ls", "--type=recursive"]).contains(stray.trim()), "it is left alone");
    db.close().await.expect("it closes");
}
