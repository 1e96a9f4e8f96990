//! The process: a node that does what is said on its input.

use debros_core::{Map, Value};
use debros_orbit::{
    DatabaseId, DatabaseSpec, Durability, Identity, NetworkOptions, NoSchema, Node, NodeOptions, ReadDocuments as _,
    Replication,
};
use std::{
    env,
    error::Error,
    io::{self, BufRead as _, Write as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, time::sleep};

pub(crate) const FOLDER: &str = "DEBROS_REPLICA_FOLDER";
pub(crate) const LISTEN: &str = "DEBROS_REPLICA_LISTEN";
pub(crate) const PEERS: &str = "DEBROS_REPLICA_PEERS";

/// Between two writes.
const PAUSE: Duration = Duration::from_millis(50);
/// A peer that does not run yet is dialled again so soon.
const REDIAL: Duration = Duration::from_millis(500);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Is this such a process?
pub(crate) fn is_asked_for() -> bool {
    env::var_os(FOLDER).is_some()
}

/// Goes on until it is killed, or its input ends.
pub(crate) fn run() {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(serve()).expect("the node works");
    // tasks that write yet are not waited for
    std::process::exit(0);
}

async fn serve() -> Result<()> {
    let node = Node::open(Path::new(&env::var(FOLDER)?), NodeOptions::default(), Arc::new(NoSchema))?;
    let notes = DatabaseSpec::documents("notes", ["*"]);
    let me = node.identity("me")?;
    let notes = node.write(Durability::Local, move |writer| writer.open(&notes)).await?;
    let mut options = NetworkOptions::loopback();
    options.listen = vec![env::var(LISTEN)?.parse()?];
    let replication = node.replicate(options).await?;
    replication.open(notes).await?;
    for address in env::var(PEERS)?.split(' ') {
        tokio::spawn(dial(replication.clone(), address.parse()?));
    }
    let (writes, busy) = (Arc::new(AtomicBool::new(false)), Arc::new(tokio::sync::Mutex::new(())));
    tokio::spawn(write(node.clone(), notes, me, writes.clone(), busy.clone()));
    say("ready");
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("write", _) => writes.store(true, Ordering::Relaxed),
            ("stop", _) => {
                writes.store(false, Ordering::Relaxed);
                // the write that is under way is answered first
                drop(busy.lock().await);
                say("stopped");
            }
            ("state", _) => {
                let snapshot = node.snapshot()?;
                let hash = snapshot.state_hash(notes)?;
                say(&format!("{:02x?} of {} entries", &hash[..8], snapshot.entries(notes)?));
            }
            ("lacks", hashes) => {
                let snapshot = node.snapshot()?;
                let held: Vec<_> = snapshot.held(Some(notes)).collect::<std::result::Result<_, _>>()?;
                let mut lacks = Vec::new();
                for hash in hashes.split(' ') {
                    let name = hash.parse()?;
                    if snapshot.block(&name)?.is_none() || held.iter().any(|held| held.hash == name) {
                        lacks.push(hash);
                    }
                }
                say(&lacks.join(" "));
            }
            (other, _) => return Err(format!("what is `{other}`?").into()),
        }
    }
    Ok(())
}

async fn dial(replication: Replication, address: debros_orbit::Multiaddr) {
    // once it was reached, it is dialled again by itself
    while replication.dial(address.clone()).await.is_err() {
        sleep(REDIAL).await;
    }
}

async fn write(
    node: Node,
    notes: DatabaseId,
    me: Identity,
    writes: Arc<AtomicBool>,
    busy: Arc<tokio::sync::Mutex<()>>,
) {
    for n in 0_u64.. {
        sleep(PAUSE).await;
        let _busy = busy.lock().await;
        if !writes.load(Ordering::Relaxed) {
            continue;
        }
        let me = me.clone();
        // some keys are everyone's
        let key = if n % 3 == 0 { format!("k{}", n % 7) } else { format!("{} {n}", me.public_key()) };
        let record = Map::from_iter([("_id", Value::from(key)), ("n", Value::from(n.to_string()))]);
        let written = node.write(Durability::Local, move |writer| writer.put(notes, &me, record)).await;
        say(&format!("wrote {}", written.expect("it may write")));
    }
}

/// To whoever started it.
fn say(what: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "@{what}").and_then(|()| out.flush()).expect("somebody listens");
}
