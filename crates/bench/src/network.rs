//! What peers cost: catching up, beside `@orbitdb/core` with its like; a small difference in a large log; how soon a write is
//! elsewhere; and doing nothing.

use crate::{
    Outcome,
    durable::{Message, message},
    machine,
    orbit::{append, identity, open},
};
use debros::prelude::*;
use debros_orbit::{
    DatabaseId, DatabaseSpec, Identity, NetworkOptions, Node, ReadDocuments as _, Replication, ReplicationEvent,
    Traffic,
};
use debros_tests::JavaScriptPeer;
use serde_json::json;
use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

/// A node with its network.
struct Peer {
    node: Node,
    database: DatabaseId,
    replication: Replication,
}

impl Peer {
    async fn open(folder: &Path, writer: &Identity) -> Result<Peer, Box<dyn Error>> {
        let (node, database) = open(folder, writer).await?;
        let replication = node.replicate(NetworkOptions::loopback()).await?;
        replication.open(database).await?;
        Ok(Peer { node, database, replication })
    }

    async fn dial(&self, other: &Peer) -> Outcome {
        self.replication.dial(other.replication.addresses().pop().ok_or("it listens nowhere")?).await?;
        Ok(())
    }

    async fn write(&self, me: &Identity, from: usize, count: usize) -> Outcome {
        for from in (from..from + count).step_by(1000) {
            append(&self.node, self.database, me, from, 1000.min(count), debros_orbit::Durability::Local).await?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<u64, Box<dyn Error>> {
        Ok(self.node.snapshot()?.entries(self.database)?)
    }

    async fn until(&self, entries: usize) -> Outcome {
        while self.entries()? < entries as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    fn equals(&self, other: &Peer) -> Result<bool, Box<dyn Error>> {
        Ok(self.node.snapshot()?.state_hash(self.database)? == other.node.snapshot()?.state_hash(other.database)?)
    }

    async fn close(self) -> Outcome {
        self.replication.close().await;
        Ok(self.node.close().await?)
    }
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    // first, as memory that is given back stays with the process
    idle(folder.path()).await?;
    let thousand = catch_up(folder.path()).await?;
    let theirs = tokio::task::spawn_blocking(beside_javascript).await?;
    println!(
        "1,000 documents to a fresh peer: @orbitdb/core 4 to its like {:.0} ms, ours {:.0} ms: {:.0} times as fast (goal: 30)",
        ms(theirs),
        ms(thousand),
        theirs.as_secs_f64() / thousand.as_secs_f64()
    );
    difference(folder.path()).await?;
    latency(folder.path()).await
}

/// From a write on one node to the stream of changes of another: when it was begun, and when it was answered.
async fn latency(folder: &Path) -> Outcome {
    let open = |name: &str| {
        let folder = folder.join(name);
        Db::builder(folder, "bench").listen("/ip4/127.0.0.1/tcp/0").local_discovery(false).open(models![Message])
    };
    let (one, two) = (open("writes").await?, open("listens").await?);
    two.network().dial(one.network().addresses().first().ok_or("it listens nowhere")?).await?;
    let me = one.session(&one.identity("bench").await?);
    two.network().follow(me.user()).await?;
    // the first one opens the database, and makes sure that both know each other
    me.clone().durability(Durability::Replicated(1)).create(message(0)).await?;
    let mut changes = Message::changes().everywhere().stream(&two);
    let (told, mut telling) = tokio::sync::mpsc::unbounded_channel();
    let reader = tokio::spawn(async move {
        while let Some(Ok(change)) = changes.next().await {
            // nobody listens any more at the end
            let _ = told.send((change.row.map(|row| row.id), Instant::now()));
        }
    });
    let (writes, a_second) = (2_000, 200);
    let mut tick = tokio::time::interval(Duration::from_secs(1) / a_second);
    let mut begun = std::collections::HashMap::new();
    let (mut from_begin, mut from_answer) = (Vec::new(), Vec::new());
    for n in 0..writes {
        tick.tick().await;
        let begin = Instant::now();
        let written = me.create(message(n + 1)).await?;
        begun.insert(written.id, (begin, Instant::now()));
    }
    for _ in 0..writes {
        let (id, at) = telling.recv().await.ok_or("the stream has ended")?;
        let (begin, answer) = begun.remove(&id.ok_or("a change without a row")?).ok_or("told twice")?;
        from_begin.push(at.saturating_duration_since(begin));
        from_answer.push(at.saturating_duration_since(answer));
    }
    reader.abort();
    for (since, times) in [("its begin", &mut from_begin), ("its answer", &mut from_answer)] {
        let (half, most) = (machine::quantile(times, 0.5), machine::quantile(times, 0.99));
        println!(
            "{a_second} writes a second: one is told to a reader of another node after {:.2} ms from {since} (median), 99 of 100 within {:.2} ms (goals: 5, 25)",
            ms(half),
            ms(most)
        );
    }
    one.close().await?;
    two.close().await?;
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How long 1,000 took.
async fn catch_up(folder: &Path) -> Result<Duration, Box<dyn Error>> {
    let mut thousand = Duration::MAX;
    for documents in [1_000, 10_000, 100_000] {
        let me = identity()?;
        let one = Peer::open(&folder.join(format!("one-{documents}")), &me).await?;
        one.write(&me, 0, documents).await?;
        let two = Peer::open(&folder.join(format!("two-{documents}")), &me).await?;
        let begin = Instant::now();
        two.dial(&one).await?;
        two.until(documents).await?;
        let took = begin.elapsed();
        if !two.equals(&one)? {
            return Err("the replica differs".into());
        }
        println!(
            "a fresh peer catches up {documents} documents, from dialling it, in {:.0} ms: {:.0} verified entries/s (goal: 5000)",
            ms(took),
            documents as f64 / took.as_secs_f64()
        );
        if documents == 1_000 {
            thousand = took;
        }
        two.close().await?;
        one.close().await?;
    }
    Ok(thousand)
}

/// The same, of 1,000 documents, with `@orbitdb/core` on both sides.
fn beside_javascript() -> Duration {
    let (mut one, mut two) = (JavaScriptPeer::start("one"), JavaScriptPeer::start("two"));
    let opened = one.ask("open", json!({ "name": "bench", "type": "documents", "write": ["*"] }));
    let database = opened["address"].clone();
    for n in 0..1_000 {
        let value = json!({ "_id": format!("key-{n}"), "to": format!("user-{}", n % 97), "n": n,
            "text": format!("{n} {}", "lorem ipsum ".repeat(12)) });
        one.ask("put", json!({ "db": database, "value": value }));
    }
    let heads = one.ask("heads", json!({ "db": database }));
    let begin = Instant::now();
    two.ask("dial", json!({ "addr": one.address() }));
    two.ask("open", json!({ "address": database, "type": "documents" }));
    while two.ask("heads", json!({ "db": database })) != heads {
        std::thread::sleep(Duration::from_millis(5));
    }
    begin.elapsed()
}

/// Ten entries each side lacks, in logs of different sizes.
async fn difference(folder: &Path) -> Outcome {
    for entries in [1_000, 10_000, 100_000] {
        let me = identity()?;
        let you = identity()?;
        let spec = DatabaseSpec::documents("difference", [me.id(), you.id()]);
        let mut peers = Vec::new();
        for name in ["here", "there"] {
            let (node, _) = open(&folder.join(format!("{name}-{entries}")), &me).await?;
            let spec = spec.clone();
            let database = node.write(debros_orbit::Durability::Local, move |writer| writer.open(&spec)).await?;
            let replication = node.replicate(NetworkOptions::loopback()).await?;
            replication.open(database).await?;
            peers.push(Peer { node, database, replication });
        }
        let [one, two] = <[Peer; 2]>::try_from(peers).map_err(|_| "two peers")?;
        one.write(&me, 0, entries).await?;
        two.dial(&one).await?;
        two.until(entries).await?;
        two.replication.disconnect(one.replication.id());
        while !two.replication.peers().is_empty() || !one.replication.peers().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        one.write(&me, entries, 10).await?;
        two.write(&you, entries + 10, 10).await?;
        let mut told = two.replication.events();
        let begin = Instant::now();
        two.dial(&one).await?;
        let traffic = loop {
            match told.next().await {
                Some(ReplicationEvent::Synced { traffic, .. }) if traffic.entries_received > 0 => break traffic,
                Some(_) => {}
                None => return Err("replication has ended".into()),
            }
        };
        let took = begin.elapsed();
        two.until(entries + 20).await?;
        one.until(entries + 20).await?;
        let Traffic { entries_sent, entries_received, bytes_sent, bytes_received, .. } = traffic;
        println!(
            "10 entries here and 10 there, in {entries}: {entries_sent} sent, {entries_received} received, {bytes_sent} + {bytes_received} bytes, {} + {} messages, {:.1} ms from dialling",
            traffic.messages_sent,
            traffic.messages_received,
            ms(took)
        );
        two.close().await?;
        one.close().await?;
    }
    println!("(goal: bytes and messages that do not depend on the size of the log)");
    Ok(())
}

/// Two nodes with a hundred databases each, which do nothing.
async fn idle(folder: &Path) -> Outcome {
    let before = machine::memory_now()?;
    let me = identity()?;
    let mut peers = Vec::new();
    for name in ["idle-here", "idle-there"] {
        let peer = Peer::open(&folder.join(name), &me).await?;
        for n in 0..99 {
            let spec = DatabaseSpec::documents(format!("idle-{n}"), [me.id()]);
            let database = peer.node.write(debros_orbit::Durability::Local, move |writer| writer.open(&spec)).await?;
            peer.replication.open(database).await?;
        }
        peers.push(peer);
    }
    let [one, two] = <[Peer; 2]>::try_from(peers).map_err(|_| "two peers")?;
    two.dial(&one).await?;
    let settle = Duration::from_secs(10);
    tokio::time::sleep(settle).await;
    let (cpu, begin) = (machine::cpu_time()?, Instant::now());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let share = (machine::cpu_time()? - cpu).as_secs_f64() / begin.elapsed().as_secs_f64();
    println!(
        "two connected nodes with 100 databases each that do nothing: {:.2} % of a core together, {:.0} MiB more memory together",
        share * 100.0,
        machine::mib(machine::memory_now()?.saturating_sub(before))
    );
    two.close().await?;
    one.close().await
}
