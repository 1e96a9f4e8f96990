//! What logs cost: raw signatures and encoding beside appending and joining; documents beside `@orbitdb/core` in JavaScript;
//! and a million entries.

use crate::{Outcome, machine};
use debros_core::{Collation, Map, Value};
use debros_orbit::{
    DatabaseId, DatabaseInfo, DatabaseSpec, Durability, Entry, Hash, Identity, IndexRow, Node, NodeOptions, Payload,
    ReadDocuments as _, Schema, SigningKey, Verdict, WriteError,
};
use serde_json::Value as Json;
use std::{
    collections::HashSet,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

/// Indexes records by `to`.
struct To;

impl Schema for To {
    fn fingerprint(&self) -> Vec<u8> {
        b"bench: to".to_vec()
    }

    fn rows(&self, _: &DatabaseInfo, _: &str, record: &Map, _: Option<(&str, &Map)>) -> Verdict {
        let mut values = Vec::new();
        Collation::Plain.encode(record.field("to"), &mut values);
        Verdict::Row(vec![IndexRow { index: 0, values }])
    }

    fn key(&self, _: &DatabaseInfo, key: &Value) -> Vec<u8> {
        encoded(key)
    }
}

fn encoded(key: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    Collation::Plain.encode_whole(key, &mut bytes);
    bytes
}

pub(crate) fn record(n: usize) -> Map {
    let text = format!("{n} {}", "lorem ipsum ".repeat(12));
    Map::from_iter([
        ("_id", Value::from(format!("key-{n}"))),
        ("to", Value::from(format!("user-{}", n % 97))),
        ("n", Value::from(n as u64)),
        ("text", Value::from(text)),
    ])
}

pub(crate) fn identity() -> Result<Identity, Box<dyn Error>> {
    Ok(Identity::new(&SigningKey::generate()?, SigningKey::generate()?))
}

pub(crate) async fn open(folder: &Path, me: &Identity) -> Result<(Node, DatabaseId), Box<dyn Error>> {
    let node = Node::open(folder, NodeOptions::default(), Arc::new(To))?;
    let spec = DatabaseSpec::documents("bench", [me.id()]);
    let database = node.write(Durability::Local, move |w| w.open(&spec)).await?;
    Ok((node, database))
}

pub(crate) async fn append(
    node: &Node,
    database: DatabaseId,
    me: &Identity,
    from: usize,
    count: usize,
    durability: Durability,
) -> Outcome {
    let me = me.clone();
    let job = move |w: &mut debros_orbit::Writer<'_>| {
        (from..from + count).try_for_each(|n| w.put(database, &me, record(n)).map(drop))?;
        Ok::<_, WriteError>(())
    };
    Ok(node.write(durability, job).await?)
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    raw()?;
    logs(folder.path()).await?;
    beside_javascript(folder.path()).await?;
    million(folder.path())
}

/// The time of one of many.
fn each(times: u32, mut once: impl FnMut()) -> f64 {
    let begin = Instant::now();
    (0..times).for_each(|_| once());
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

fn raw() -> Outcome {
    let me = identity()?;
    let log = DatabaseSpec::documents("bench", [me.id()]).address()?;
    let payload = || Payload::put("key-7".into(), record(7).into()).into_value();
    let entry = Entry::create(&me, log, payload(), &[Hash::of(b"x")], &[], 2)?;
    let signed = entry.signed_bytes();
    let sign = each(2_000, || drop(me.sign(&signed)));
    let verify = each(2_000, || assert!(entry.verify_signature().is_ok()));
    let encode = each(20_000, || assert!(payload().to_dag_cbor().is_ok()));
    let decode = each(20_000, || assert!(Entry::decode(entry.bytes()).is_ok()));
    println!(
        "raw, on one core: sign {sign:.0} us, verify {verify:.0} us, encode a record {encode:.1} us, decode an entry {decode:.1} us"
    );
    Ok(())
}

async fn logs(folder: &Path) -> Outcome {
    let (entries, batch) = (50_000, 1_000);
    let me = identity()?;
    let (node, database) = open(&folder.join("here"), &me).await?;
    let begin = Instant::now();
    for from in (0..entries).step_by(batch) {
        append(&node, database, &me, from, batch, Durability::Local).await?;
    }
    let took = begin.elapsed().as_secs_f64();
    println!(
        "append in batches of {batch}: {:.0} entries/s, {:.0} us each (goal: at least 10000/s)",
        entries as f64 / took,
        took * 1e6 / entries as f64
    );

    let snapshot = node.snapshot()?;
    let mut list = snapshot.heads(database)?;
    let mut blocks = Vec::with_capacity(entries);
    let mut seen = HashSet::new();
    while let Some(hash) = list.pop() {
        if seen.insert(hash) {
            let block = snapshot.block(&hash)?.ok_or("an entry is missing")?.to_vec();
            list.extend(Entry::decode(&block)?.next());
            blocks.push(block);
        }
    }
    blocks.reverse();
    let (there, there_database) = open(&folder.join("there"), &me).await?;
    let mut identities = vec![me.bytes().to_vec()];
    let begin = Instant::now();
    // the next batch is on its way while one is joined, as from a peer
    let mut waiting = None;
    for entries in blocks.chunks(batch) {
        let next = tokio::spawn({
            let (there, entries, identities) = (there.clone(), entries.to_vec(), std::mem::take(&mut identities));
            async move { there.receive(there_database, "here", identities, entries).await }
        });
        if let Some(before) = waiting.replace(next) {
            before.await??;
        }
    }
    if let Some(last) = waiting {
        last.await??;
    }
    there.settle().await;
    let took = begin.elapsed().as_secs_f64();
    let joined = there.snapshot()?;
    if joined.state_hash(there_database)? != snapshot.state_hash(database)? {
        return Err("the replica differs".into());
    }
    println!(
        "join and verify in batches of {batch}: {:.0} entries/s, {:.0} us each (goal: at least 8000/s)",
        entries as f64 / took,
        took * 1e6 / entries as f64
    );
    node.close().await?;
    there.close().await?;
    Ok(())
}

/// What one did with so many records.
#[derive(Debug)]
struct Did {
    puts: f64,
    /// Without waiting for the disk.
    buffered: f64,
    get: f64,
    query: f64,
    reopen: f64,
    memory: f64,
}

async fn beside_javascript(folder: &Path) -> Outcome {
    let peer = install(folder)?;
    println!(
        "\n| records | | puts/s | puts/s, not synced | get by key | query by field | close and reopen to first answer | memory |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for records in [1_000, 5_000] {
        let theirs = javascript(&peer, &folder.join(format!("js-{records}")), records)?;
        let ours = documents(&folder.join(format!("ours-{records}")), records)?;
        let row = |name: &str, did: &Did| {
            let Did { puts, buffered, get, query, reopen, memory } = did;
            println!(
                "| {records} | {name} | {puts:.0} | {buffered:.0} | {get:.3} ms | {query:.3} ms | {reopen:.1} ms | {memory:.0} MiB |"
            );
        };
        row("@orbitdb/core 4", &theirs);
        row("debros-orbit", &ours);
        println!(
            "| {records} | times as good | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} | {:.1} |",
            ours.puts / theirs.puts,
            ours.buffered / theirs.buffered,
            theirs.get / ours.get,
            theirs.query / ours.query,
            theirs.reopen / ours.reopen,
            theirs.memory / ours.memory
        );
    }
    println!("(goal: 20 times in each; puts are one after the other; JavaScript never waits for the disk)");
    Ok(())
}

/// The packages of the JavaScript peer, in a folder of their own.
fn install(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = here.join("../../tests/js-peer");
    let peer = folder.join("js");
    fs::create_dir_all(&peer)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(packages.join(file), peer.join(file))
            .map_err(|e| format!("{}: {e}", packages.join(file).display()))?;
    }
    fs::copy(here.join("js/documents.mjs"), peer.join("documents.mjs"))?;
    let status = Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&peer).status()?;
    if status.success() { Ok(peer) } else { Err("`npm ci` failed".into()) }
}

fn javascript(peer: &Path, dir: &Path, records: usize) -> Result<Did, Box<dyn Error>> {
    let dir = std::path::absolute(dir)?;
    let output =
        Command::new("node").arg("documents.mjs").arg(dir).arg(records.to_string()).current_dir(peer).output()?;
    if !output.status.success() {
        return Err(format!("the JavaScript peer failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    did(&output.stdout)
}

fn did(line: &[u8]) -> Result<Did, Box<dyn Error>> {
    let json: Json = serde_json::from_slice(line)?;
    let number = |name: &str| json[name].as_f64().ok_or_else(|| format!("no `{name}` in {json}"));
    Ok(Did {
        puts: number("puts")?,
        buffered: number("buffered").or_else(|_| number("puts"))?,
        get: number("get")?,
        query: number("query")?,
        reopen: number("reopen")?,
        memory: number("memory")?,
    })
}

/// The mode of this program in which it does one of the two below, in a process of its own, for its memory.
pub(crate) const CHILD: &str = "orbit-child";

fn documents(dir: &Path, records: usize) -> Result<Did, Box<dyn Error>> {
    did(&child("documents", dir, records)?)
}

fn child(what: &str, dir: &Path, records: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).args([CHILD, what]).arg(dir).arg(records.to_string()).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

pub(crate) async fn run_child(arguments: &[String]) -> Outcome {
    let [what, dir, records] = arguments else { return Err("what, where, how many".into()) };
    let (dir, records) = (Path::new(dir), records.parse()?);
    match what.as_str() {
        "documents" => child_documents(dir, records).await,
        _ => child_million(dir, records).await,
    }
}

async fn child_documents(dir: &Path, records: usize) -> Outcome {
    let me = identity()?;
    let (node, database) = open(dir, &me).await?;
    let begin = Instant::now();
    for n in 0..records {
        append(&node, database, &me, n, 1, Durability::Local).await?;
    }
    let puts = records as f64 / begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    for n in 0..records {
        append(&node, database, &me, n, 1, Durability::Buffered).await?;
    }
    let buffered = records as f64 / begin.elapsed().as_secs_f64();
    let snapshot = node.snapshot()?;
    let begin = Instant::now();
    for n in 0..20 {
        let key = encoded(&format!("key-{}", records * n / 20).into());
        snapshot.get(database, &key)?.ok_or("a record is missing")?;
    }
    let get = ms(begin.elapsed()) / 20.0;
    let begin = Instant::now();
    let mut prefix = Vec::new();
    Collation::Plain.encode(&"user-5".into(), &mut prefix);
    let mut end = prefix.clone();
    end.push(0xff);
    let mut found = 0;
    for row in snapshot.scan_index(database, 0, &prefix, Some(&end), false) {
        let record = snapshot.load(row?.position)?;
        found += usize::from(record.field("to").as_text() == Some("user-5"));
    }
    let query = ms(begin.elapsed());
    if found != (0..records).filter(|n| n % 97 == 5).count() {
        return Err("the query found something else".into());
    }
    let memory = machine::mib(machine::memory_now()?);
    drop(snapshot);
    node.close().await?;
    drop(node);
    let begin = Instant::now();
    let (node, database) = open(dir, &me).await?;
    node.snapshot()?.get(database, &encoded(&"key-0".into()))?.ok_or("a record is missing")?;
    let reopen = ms(begin.elapsed());
    node.close().await?;
    println!(
        "{}",
        serde_json::json!({ "puts": puts, "buffered": buffered, "get": get, "query": query, "reopen": reopen, "memory": memory })
    );
    Ok(())
}

fn million(folder: &Path) -> Outcome {
    let entries = 1_000_000;
    let line = child("million", &folder.join("million"), entries)?;
    print!("\n{entries} entries: {}", String::from_utf8_lossy(&line));
    println!("(goal: under 300 MiB, reopen under 100 ms)");
    Ok(())
}

async fn child_million(dir: &Path, entries: usize) -> Outcome {
    let me = identity()?;
    let (node, database) = open(dir, &me).await?;
    let begin = Instant::now();
    for from in (0..entries).step_by(1_000) {
        append(&node, database, &me, from, 1_000, Durability::Local).await?;
    }
    let rate = entries as f64 / begin.elapsed().as_secs_f64();
    node.close().await?;
    drop(node);
    let begin = Instant::now();
    let (node, database) = open(dir, &me).await?;
    let snapshot = node.snapshot()?;
    snapshot.get(database, &encoded(&"key-500000".into()))?.ok_or("a record is missing")?;
    let reopen = ms(begin.elapsed());
    let begin = Instant::now();
    for n in 0..1_000 {
        let key = encoded(&format!("key-{}", (n * 7_919) % entries).into());
        snapshot.get(database, &key)?.ok_or("a record is missing")?;
    }
    let get = ms(begin.elapsed());
    drop(snapshot);
    node.close().await?;
    let peak = machine::mib(machine::peak_memory()?);
    println!(
        "written at {rate:.0}/s, at most {peak:.0} MiB of memory, reopened to the first answer in {reopen:.1} ms, a random get {get:.0} us"
    );
    Ok(())
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
