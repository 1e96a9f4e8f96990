//! A node of ours, beside a JavaScript peer.

use debros_core::{Map, Value};
use debros_orbit::{
    Address, DatabaseId, DatabaseSpec, Durability, Identity, NetworkOptions, NoSchema, Node, NodeOptions, Payload,
    PeerId, ReadDocuments as _, Replication,
};
use debros_tests::JavaScriptPeer;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// It takes seconds; a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(90);

type Problem = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Ours {
    pub(crate) node: Node,
    pub(crate) replication: Replication,
    pub(crate) me: Identity,
    _folder: TempDir,
}

impl Ours {
    pub(crate) async fn start() -> Ours {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
        let replication = node.replicate(NetworkOptions::loopback()).await.unwrap();
        let me = node.identity("me").unwrap();
        Ours { node, replication, me, _folder: folder }
    }

    pub(crate) async fn dial(&self, peer: &JavaScriptPeer) -> PeerId {
        self.replication.dial(peer.address().parse().unwrap()).await.unwrap()
    }

    /// Has the peer dial us.
    pub(crate) fn be_dialled(&self, peer: &mut JavaScriptPeer) {
        let address = self.replication.addresses().pop().unwrap().to_string();
        peer.ask("dial", json!({ "addr": address }));
    }

    pub(crate) async fn open(&self, spec: &DatabaseSpec) -> DatabaseId {
        let spec = spec.clone();
        let database = self.node.write(Durability::Local, move |writer| writer.open(&spec)).await.unwrap();
        self.replication.open(database).await.unwrap();
        database
    }

    pub(crate) async fn open_address(&self, address: &str) -> DatabaseId {
        let address: Address = address.parse().unwrap();
        let opened = self.replication.open_address(&address, "", &[]);
        tokio::time::timeout(PATIENCE, opened).await.expect("what it is made of comes").unwrap()
    }

    pub(crate) async fn write(&self, database: DatabaseId, payload: Payload) {
        let me = self.me.clone();
        let wrote = self.node.write(Durability::Local, move |writer| {
            writer.append(database, &me, payload)?;
            Ok::<_, Problem>(())
        });
        wrote.await.unwrap();
    }

    pub(crate) async fn put(&self, database: DatabaseId, key: &str) {
        let record = Map::from_iter([("_id", Value::from(key)), ("by", "us".into())]);
        self.write(database, Payload::put(key.into(), record.into())).await;
    }

    pub(crate) fn entries(&self, database: DatabaseId) -> u64 {
        self.node.snapshot().unwrap().entries(database).unwrap()
    }

    pub(crate) fn heads(&self, database: DatabaseId) -> Vec<String> {
        self.node.snapshot().unwrap().heads(database).unwrap().iter().map(ToString::to_string).collect()
    }

    pub(crate) async fn until(&self, what: &str, is: impl Fn() -> bool) {
        let begin = Instant::now();
        while !is() {
            assert!(begin.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the log has so many entries here and there, and then sees that both have the same heads, and the same
    /// in every key.
    pub(crate) async fn until_equal(&self, peer: &mut JavaScriptPeer, database: DatabaseId, entries: u64) {
        self.until(&format!("{entries} entries"), || self.entries(database) == entries).await;
        let address = self.address(database);
        peer.wait_for_heads(&address, &self.heads(database));
        peer.wait_for(&address, entries);
        assert_eq!(self.all(database), all(peer, &address));
    }

    pub(crate) fn address(&self, database: DatabaseId) -> String {
        self.node.snapshot().unwrap().info(database).unwrap().address.to_string()
    }

    /// The values that keys hold, or events are, in some order that both sides have.
    pub(crate) fn all(&self, database: DatabaseId) -> Vec<String> {
        let snapshot = self.node.snapshot().unwrap();
        let rows = snapshot.scan_keys(database, &[], None, false);
        let mut all: Vec<_> =
            rows.map(|row| as_json(&snapshot.load_value(row.unwrap().position).unwrap()).to_string()).collect();
        all.sort_unstable();
        all
    }
}

/// The same, of a peer.
fn all(peer: &mut JavaScriptPeer, address: &str) -> Vec<String> {
    let all = peer.ask("all", json!({ "db": address }));
    let mut all: Vec<_> = all["all"].as_array().unwrap().iter().map(|row| row["value"].to_string()).collect();
    all.sort_unstable();
    all
}

fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Text(text) => text.to_string().into(),
        Value::Int(number) => i64::try_from(*number).unwrap().into(),
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(fields) => fields.iter().map(|(name, value)| (name.to_owned(), as_json(value))).collect(),
        other => panic!("no test writes {other:?}"),
    }
}
