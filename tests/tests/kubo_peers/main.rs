//! Applications that share nothing but connected Kubo daemons become the same. The daemons are real; they are stopped, emptied, cut off,
//! and lied to.

mod ancestors;
mod dropped;
mod hostile;
mod incremental;
mod losses;
mod together;
mod unfollowed;

use debros::{HintStatus, UserId, prelude::*};
use debros_tests::KuboDaemon;
use std::{path::Path, time::Duration};
use tempfile::TempDir;

/// What everybody writes in one place.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its key.
    #[field(key)]
    pub id: Id<Message>,
    /// Counts.
    #[field(index)]
    pub number: i64,
    /// Ballast.
    pub text: String,
}

/// What a user writes in a place of their own.
#[model(scope = user)]
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Its key.
    #[field(key)]
    pub id: Id<Note>,
    /// Counts.
    pub number: i64,
}

/// Enough for a busy machine; what takes so long has failed.
const PATIENCE: Duration = Duration::from_secs(240);

/// A daemon, and an application that has nothing else.
struct Peer {
    daemon: KuboDaemon,
    folder: TempDir,
    db: Db,
    me: Session,
}

async fn open(folder: &Path, url: &str) -> (Db, Session) {
    let db = Db::builder(folder, "chat").kubo(url).optional().kubo_peers(true);
    let db = db.open(models![Message, Note]).await.expect("it opens");
    let me = db.session(&db.identity("me").await.expect("an identity"));
    (db, me)
}

impl Peer {
    async fn start() -> Peer {
        Peer::with(KuboDaemon::start()).await
    }

    async fn with(daemon: KuboDaemon) -> Peer {
        let folder = tempfile::tempdir().expect("a folder");
        let (db, me) = open(folder.path(), &daemon.url()).await;
        Peer { daemon, folder, db, me }
    }

    fn connect(&self, other: &Peer) {
        self.daemon.ipfs_ok(&["swarm", "connect", &other.daemon.peer_address()]);
    }

    async fn write(&self, numbers: std::ops::Range<i64>) {
        let all = numbers.map(|number| NewMessage { number, text: format!("message {number} ").repeat(4) });
        self.me.batch().create_all(all.collect::<Vec<_>>()).await.expect("they are stored");
    }

    async fn numbers(&self) -> Vec<i64> {
        let mut all: Vec<i64> = Vec::new();
        for message in Message::query().order_by(|m| m.number.asc()).fetch(&self.db).await.expect("rows") {
            all.push(message.number);
        }
        all
    }

    async fn notes_of(&self, user: UserId) -> u64 {
        Note::query().count(&self.db.view(user)).await.expect("a count")
    }

    fn hints(&self) -> HintStatus {
        self.db.kubo().status().hints.expect("hints are exchanged")
    }

    /// Waits until it has these messages.
    async fn has(&self, numbers: std::ops::Range<i64>) {
        let count = numbers.clone().count() as u64;
        let told = || format!("{:#?}\n{}", self.db.kubo().status(), self.daemon.log());
        until("there", async || Message::query().count(&self.db).await.expect("a count") == count, told).await;
        assert_eq!(self.numbers().await, numbers.collect::<Vec<_>>());
    }

    /// Waits until all others are known to have the same, but for one's own notes, which nobody follows.
    async fn agrees(&self) {
        let agrees = async || {
            let hints = self.hints();
            hints.databases > 1 && hints.agreed + 1 == hints.databases
        };
        until("agreed", agrees, || format!("{:#?}", self.db.kubo().status())).await;
    }

    async fn drained(&self) {
        self.db.kubo().flush(PATIENCE).await.expect("everything is confirmed");
        let drained = async || {
            let status = self.db.kubo().status();
            status.reachable && status.outbox_entries == 0 && !status.mending
        };
        until("drained", drained, || format!("{:#?}", self.db.kubo().status())).await;
    }

    async fn clean(&self) {
        assert!(self.db.verify().await.expect("a report").is_clean());
    }
}

async fn until(what: &str, is: impl AsyncFn() -> bool, told: impl Fn() -> String) {
    let end = tokio::time::Instant::now() + PATIENCE;
    while !is().await {
        assert!(tokio::time::Instant::now() < end, "not {what}: {}", told());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
