//! Databases that reach each other through a relay.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debros::{Builder, Durability, NetworkError, NetworkEvent, OpenError, RelayLimits, prelude::*};
use std::{path::Path, time::Duration};

/// What is to be on both sides.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Note {
    /// Its key.
    #[field(key)]
    pub id: Id<Note>,
    /// What it says.
    pub text: String,
}

const HERE: &str = "/ip4/127.0.0.1/tcp/0";

/// A relay, which has nothing to do with the application.
async fn relay(folder: &Path, listen: &str, limits: RelayLimits) -> Db {
    let relay = Db::builder(folder, "relay").listen(listen).local_discovery(false).relay(limits);
    relay.open(models![]).await.unwrap()
}

fn notes(folder: &Path) -> Builder {
    Db::builder(folder, "notes").local_discovery(false)
}

async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    for _ in 0..2_400 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never happened that {what}");
}

async fn count(db: &Db) -> u64 {
    Note::query().count(db).await.unwrap()
}

/// Where a database is reached that listens at this relay alone.
async fn reached(db: &Db) -> String {
    until("the relay lets peers through", || async { !db.network().addresses().is_empty() }).await;
    db.network().addresses().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_reach_nobody_but_a_relay_become_the_same() {
    let [at_relay, here, there] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let between = relay(at_relay.path(), HERE, RelayLimits::default()).await;
    let address = between.network().addresses().remove(0);
    let circuit = format!("{address}/p2p-circuit");
    let a = notes(here.path()).listen(&circuit).open(models![Note]).await.unwrap();
    let at_a = reached(&a).await;
    assert!(at_a.starts_with(&circuit), "{at_a}");
    let b = notes(there.path()).dial_only().peer(&at_a).open(models![Note]).await.unwrap();

    let (anna, ben) = (a.identity("anna").await.unwrap(), b.identity("ben").await.unwrap());
    let (anna, ben) = (a.session(&anna), b.session(&ben));
    anna.create(NewNote { text: "from the one side".into() }).await.unwrap();
    ben.create(NewNote { text: "from the other".into() }).await.unwrap();
    until("both have both", || async { count(&a).await == 2 && count(&b).await == 2 }).await;
    // a peer says that it has something on its disk, by an exchange
    let careful = anna.clone().durability(Durability::Replicated(1));
    careful.create(NewNote { text: "on both disks".into() }).await.unwrap();
    assert_eq!(count(&b).await, 3);
    for (db, relays) in [(&a, 1), (&b, 1)] {
        let peers = db.network().peers();
        let (direct, relayed): (Vec<_>, Vec<_>) = peers.iter().partition(|peer| !peer.address.contains("/p2p-circuit"));
        assert_eq!((direct.len(), relayed.len()), (relays, 1), "{peers:?}");
    }

    // the relay goes, both go on alone; when it is there again, nobody has to do anything
    between.close().await.unwrap();
    until("they are alone", || async { a.network().peers().is_empty() && b.network().peers().is_empty() }).await;
    assert_eq!(a.network().addresses(), Vec::<String>::new());
    anna.create(NewNote { text: "alone".into() }).await.unwrap();
    ben.create(NewNote { text: "alone, too".into() }).await.unwrap();
    let listen = address.split("/p2p/").next().unwrap();
    let between = relay(at_relay.path(), listen, RelayLimits::default()).await;
    until("both have all again", || async { count(&a).await == 5 && count(&b).await == 5 }).await;
    assert_eq!(a.network().addresses(), [at_a]);
    for db in [a, b, between] {
        db.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_relay_carries_at_a_time_comes_all_the_same() {
    let [at_relay, here, there] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut limits = RelayLimits::default();
    limits.circuit_bytes = 2 << 20;
    let between = relay(at_relay.path(), HERE, limits).await;
    let circuit = format!("{}/p2p-circuit", between.network().addresses()[0]);
    let a = notes(here.path()).listen(&circuit).open(models![Note]).await.unwrap();
    let me = a.session(&a.identity("anna").await.unwrap());
    for batch in 0..5 {
        let notes = (0..200).map(|n| NewNote { text: format!("{batch} {n} {}", "x".repeat(6_000)) });
        me.batch().create_all(notes).await.unwrap();
    }
    let b = notes(there.path()).dial_only().open(models![Note]).await.unwrap();
    let mut events = b.network().events().unwrap();
    let at_a = reached(&a).await;
    b.network().dial(&at_a).await.unwrap();
    until("all is there", || async { count(&b).await == 1_000 }).await;
    let mut broken = 0;
    while let Ok(Some(event)) = tokio::time::timeout(Duration::ZERO, events.next()).await {
        broken += u32::from(matches!(event, NetworkEvent::Disconnected { .. }));
    }
    assert!(broken > 0, "it took more than one connection");
    for db in [a, b, between] {
        db.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_go_on_without_the_relay_that_brought_them_together() {
    let [at_relay, here, there] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let between = relay(at_relay.path(), HERE, RelayLimits::default()).await;
    let relay_id = between.network().addresses()[0].rsplit('/').next().unwrap().to_owned();
    let circuit = format!("{}/p2p-circuit", between.network().addresses()[0]);
    let a = notes(here.path()).listen(HERE).listen(&circuit).open(models![Note]).await.unwrap();
    let mut news = a.network().events().unwrap();
    until("the relay lets peers through", || async { a.network().addresses().len() == 2 }).await;
    let b = notes(there.path()).listen(HERE).open(models![Note]).await.unwrap();
    let (anna, ben) = (a.identity("anna").await.unwrap(), b.identity("ben").await.unwrap());
    let (anna, ben) = (a.session(&anna), b.session(&ben));
    // from where the relay sees it, it learns at the same time
    let through = a.network().addresses().into_iter().find(|address| address.contains("/p2p-circuit")).unwrap();
    let (mut is_direct, mut written) = (false, 0);
    while !is_direct {
        let id = b.network().dial(&through).await.unwrap();
        anna.create(NewNote { text: "hello".into() }).await.unwrap();
        ben.create(NewNote { text: "hello".into() }).await.unwrap();
        written += 2;
        until("both have the same", || async { count(&a).await == written && count(&b).await == written }).await;
        let direct = async {
            while let Some(event) = news.next().await {
                if matches!(event, NetworkEvent::Direct { .. }) {
                    return;
                }
            }
        };
        is_direct = tokio::time::timeout(Duration::from_secs(20), direct).await.is_ok();
        if !is_direct {
            b.network().disconnect(&id).unwrap();
            until("they are apart", || async { a.network().peers().len() == 1 }).await;
        }
    }
    between.close().await.unwrap();
    until("the relay is gone", || async { b.network().peers().iter().all(|peer| peer.id != relay_id) }).await;
    anna.create(NewNote { text: "directly".into() }).await.unwrap();
    ben.create(NewNote { text: "directly".into() }).await.unwrap();
    written += 2;
    until("both have all", || async { count(&a).await == written && count(&b).await == written }).await;
    let peers = b.network().peers();
    assert!(peers.len() == 1 && !peers[0].address.contains("/p2p-circuit"), "{peers:?}");
    a.close().await.unwrap();
    b.close().await.unwrap();
}

#[tokio::test]
async fn a_relay_that_nobody_finds_is_refused() {
    let [here, there, elsewhere] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let opened = notes(here.path()).dial_only().relay(RelayLimits::default()).open(models![Note]).await;
    let error = opened.unwrap_err();
    assert!(error.to_string().contains("a relay has to listen somewhere"), "{error}");
    // a relay need not be there, but its address has to be one
    let opened = notes(there.path()).listen("/ip4/127.0.0.1/tcp/1/p2p-circuit").open(models![Note]).await;
    let error = opened.unwrap_err();
    assert!(matches!(&error, OpenError::Network(error) if matches!(**error, NetworkError::Replication(_))), "{error}");
    assert!(error.to_string().contains("/p2p/12D3Koo…/p2p-circuit"), "{error}");
    let id = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let absent = format!("/ip4/127.0.0.1/tcp/1/p2p/{id}/p2p-circuit");
    let db = notes(elsewhere.path()).listen(absent).open(models![Note]).await.unwrap();
    assert_eq!(db.network().addresses(), Vec::<String>::new());
    db.close().await.unwrap();
}
