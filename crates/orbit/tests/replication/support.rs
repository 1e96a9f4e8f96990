//! A node with its replication, and waiting for what is to become true.

use debros_core::Map;
use debros_ipfs::{NetworkOptions, PeerId};
use debros_orbit::{
    AccessSpec, Address, DatabaseId, DatabaseKind, DatabaseSpec, Durability, Identity, NoSchema, Node, NodeOptions,
    Payload, ReadDocuments as _, Replication,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// It takes milliseconds or seconds; a machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) type Problem = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Replica {
    pub(crate) node: Node,
    pub(crate) replication: Replication,
    pub(crate) me: Identity,
    pub(crate) folder: TempDir,
}

/// A documents database that everyone may write.
pub(crate) fn notes() -> DatabaseSpec {
    DatabaseSpec::documents("notes", ["*"])
}

/// An events database that everyone may write.
pub(crate) fn events() -> DatabaseSpec {
    notes().of_kind(DatabaseKind::Events)
}

/// A documents database that these may write.
pub(crate) fn of(writers: &[&Replica]) -> DatabaseSpec {
    let write = writers.iter().map(|replica| replica.me.id().to_owned()).collect();
    notes().with_access(AccessSpec::Ipfs { write })
}

impl Replica {
    pub(crate) async fn start() -> Replica {
        Replica::at(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn at(folder: TempDir) -> Replica {
        let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
        let replication = node.replicate(NetworkOptions::loopback()).await.unwrap();
        let me = node.identity("me").unwrap();
        Replica { node, replication, me, folder }
    }

    pub(crate) async fn dial(&self, other: &Replica) {
        let address = other.replication.addresses().pop().unwrap();
        assert_eq!(self.replication.dial(address).await.unwrap(), other.replication.id());
    }

    /// Opens a database, without replicating it.
    pub(crate) async fn prepare(&self, spec: &DatabaseSpec) -> DatabaseId {
        let spec = spec.clone();
        self.node.write(Durability::Local, move |writer| writer.open(&spec)).await.unwrap()
    }

    pub(crate) async fn open(&self, spec: &DatabaseSpec) -> DatabaseId {
        let database = self.prepare(spec).await;
        self.replication.open(database).await.unwrap();
        database
    }

    /// Writes so many documents, each in a commit of its own.
    pub(crate) async fn write(&self, spec: &DatabaseSpec, keys: impl IntoIterator<Item = String>) {
        for key in keys {
            self.write_together(spec, [key]).await;
        }
    }

    pub(crate) async fn write_together(&self, spec: &DatabaseSpec, keys: impl IntoIterator<Item = String>) {
        let (address, me, keys) = (spec.address().unwrap(), self.me.clone(), keys.into_iter().collect::<Vec<_>>());
        let wrote = self.node.write(Durability::Local, move |writer| {
            let database = writer.at(&address)?.unwrap();
            for key in keys {
                if database.spec.kind == DatabaseKind::Events {
                    writer.append(database.id, &me, Payload::add(key.into()))?;
                } else {
                    writer.put(database.id, &me, Map::from_iter([("_id", key)]))?;
                }
            }
            Ok::<_, Problem>(())
        });
        wrote.await.unwrap();
    }

    pub(crate) fn entries(&self, spec: &DatabaseSpec) -> u64 {
        let snapshot = self.node.snapshot().unwrap();
        let database = snapshot.at(&spec.address().unwrap()).unwrap();
        database.map_or(0, |database| snapshot.entries(database.id).unwrap())
    }

    pub(crate) fn state(&self, address: &Address) -> [u8; 32] {
        let snapshot = self.node.snapshot().unwrap();
        let database = snapshot.at(address).unwrap().unwrap();
        snapshot.state_hash(database.id).unwrap()
    }

    pub(crate) async fn until_connected(&self, peer: PeerId, connected: bool) {
        until("connected, or not any more", || self.replication.peers().iter().any(|p| p.id == peer) == connected)
            .await;
    }
}

/// Waits until something is true.
pub(crate) async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until all have so many entries, and the same state.
pub(crate) async fn until_equal(replicas: &[&Replica], spec: &DatabaseSpec, entries: u64) {
    let counts = || replicas.iter().map(|replica| replica.entries(spec)).collect::<Vec<_>>();
    let begin = Instant::now();
    while counts().iter().any(|count| *count != entries) {
        assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {entries} entries, but {:?}", counts());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let address = spec.address().unwrap();
    let states: Vec<_> = replicas.iter().map(|replica| replica.state(&address)).collect();
    assert!(states.iter().all(|state| *state == states[0]), "the same entries, but other states");
}

pub(crate) fn keys(prefix: &str, count: usize) -> impl Iterator<Item = String> + use<> {
    let prefix = prefix.to_owned();
    (0..count).map(move |n| format!("{prefix}{n:05}"))
}
