//! Databases that meet over QUIC.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use debros::prelude::*;
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

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

async fn open(folder: &Path, listen: &[&str]) -> Db {
    let builder = Db::builder(folder, "notes").dial_only().local_discovery(false);
    listen.iter().fold(builder, |builder, address| builder.listen(*address)).open(models![Note]).await.unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, mut is: impl FnMut() -> F) {
    for _ in 0..1_200 {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_with_and_without_tcp_become_the_same() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    // one knows no TCP, the other no QUIC but what it dials
    let one = open(folders[0].path(), &[QUIC]).await;
    let both = open(folders[1].path(), &[QUIC, TCP]).await;
    let other = open(folders[2].path(), &[TCP]).await;
    let addresses = both.network().addresses();
    let of = |kind: &str| addresses.iter().find(|address| address.contains(kind)).unwrap();
    one.network().dial(of("/quic-v1/")).await.unwrap();
    other.network().dial(of("/tcp/")).await.unwrap();
    let all = [&one, &both, &other];
    for db in all {
        let me = db.session(&db.identity("me").await.unwrap());
        let notes = (0..100).map(|n| NewNote { text: format!("{n} {}", "x".repeat(3_000)) });
        me.batch().create_all(notes).await.unwrap();
    }
    until("all have all", || async { count(&one).await == 300 && count(&other).await == 300 }).await;
    assert!(one.network().peers()[0].address.contains("/quic-v1"), "{:?}", one.network().peers());
    // the connection ends, and is made again
    let listened = of("/quic-v1/").clone();
    both.close().await.unwrap();
    until("one is alone", || async { one.network().peers().is_empty() }).await;
    let both = open(folders[1].path(), &[listened.split("/p2p/").next().unwrap()]).await;
    let me = both.session(&both.identity("me").await.unwrap());
    me.create(NewNote { text: "again".into() }).await.unwrap();
    until("they meet again", || async { count(&one).await == 301 }).await;
    for db in [one, both, other] {
        db.close().await.unwrap();
    }
}
