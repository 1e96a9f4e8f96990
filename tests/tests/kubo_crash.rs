//! An application that ships to a real Kubo daemon is killed with SIGKILL at random moments, again and again on one data
//! folder. Afterwards the daemon pins each entry once, and there is no pin that nobody needs.
//!
//! `DEBROS_CRASH_RUNS` sets how often (50, and 30), `DEBROS_CRASH_SEED` repeats a run's delays.

use debros::prelude::*;
use debros_core::Map;
use debros_orbit::{DatabaseSpec, Durability as Local, NoSchema, Node, NodeOptions, ReadDocuments as _};
use debros_tests::{Held, KuboDaemon};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// What the child writes.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub struct Note {
    /// Its key.
    #[field(key)]
    pub id: Id<Note>,
    /// Ballast.
    pub text: String,
}

const CHILD: &str = "DEBROS_CRASH_CHILD";

async fn open(folder: &Path, daemon: &str) -> Db {
    Db::builder(folder, "crash").kubo(daemon).open(models![Note]).await.expect("the data folder opens")
}

fn note(number: usize) -> NewNote {
    NewNote { text: format!("note {number} ").repeat(10) }
}

/// Not a test of its own: what the killed process does. Single writes are waited for until they are pinned, which makes many small
/// shipments and so merges; batches are shipped beside them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(argument) = std::env::var(CHILD) else { return };
    let (daemon, folder) = argument.split_once(' ').expect("daemon and folder");
    let db = open(Path::new(folder), daemon).await;
    let me = db.session(&db.identity("writer").await.expect("an identity"));
    let mut out = std::io::stdout();
    writeln!(out, "@open").and_then(|()| out.flush()).expect("the parent reads");
    for step in 0..100_000 {
        if step % 4 == 3 {
            me.batch().create_all((0..50).map(note)).await.expect("batch");
        } else {
            me.clone().durability(Durability::Pinned).create(note(step)).await.expect("create");
        }
    }
}

/// Not a test of its own: another process that is killed. It fills a database, waits until it is pinned, and drops it, over and over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_drops() {
    let Ok(argument) = std::env::var(CHILD) else { return };
    let (daemon, folder) = argument.split_once(' ').expect("daemon and folder");
    let node = Node::open(Path::new(folder), NodeOptions::default(), Arc::new(NoSchema)).expect("it opens");
    let me = node.identity("writer").expect("an identity");
    let courier = node.ship(daemon.into(), false).await.expect("it ships");
    let mut out = std::io::stdout();
    writeln!(out, "@open").and_then(|()| out.flush()).expect("the parent reads");
    let first = node.snapshot().expect("a snapshot").databases("kept").expect("it is read").len();
    for step in first.. {
        for family in ["kept", "dropped"] {
            let mut spec = DatabaseSpec::documents(format!("{family} {step}"), [me.id()]);
            spec.family = family.to_owned();
            // of several shipments
            for part in 0..3 {
                let (me, spec) = (me.clone(), spec.clone());
                let put = node.write(Local::Local, move |writer| {
                    let database = writer.open(&spec)?;
                    for n in 0..5 {
                        writer.put(database, &me, Map::from_iter([("_id", format!("{part} {n}"))]))?;
                    }
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
                });
                put.await.expect("they are put");
                let snapshot = node.snapshot().expect("a snapshot");
                courier.pinned(&snapshot, Duration::from_secs(60)).await.expect("it is pinned");
            }
        }
        let dropped = node.snapshot().expect("a snapshot").databases("dropped").expect("it is read");
        for database in dropped {
            node.drop_database(database.id).await.expect("it is dropped");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_dropped_stays_pinned_however_often_the_application_is_killed() {
    let runs = setting("DEBROS_CRASH_RUNS").unwrap_or(30);
    let mut below = random();
    let (daemon, folder) = (KuboDaemon::start(), tempfile::tempdir().expect("a folder"));
    for run in 0..runs {
        kill(run, "child_that_drops", &daemon, folder.path(), below(400_000));
    }
    let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).expect("it opens");
    let courier = node.ship(daemon.url().as_str().into(), false).await.expect("it ships");
    let snapshot = node.snapshot().expect("a snapshot");
    for database in snapshot.databases("dropped").expect("it is read") {
        node.drop_database(database.id).await.expect("it is dropped");
    }
    courier.flushed(&node.snapshot().expect("a snapshot"), Duration::from_secs(120)).await.expect("it is confirmed");
    let kept = snapshot.databases("kept").expect("it is read");
    let mut entries = 0;
    for database in &kept {
        entries += snapshot.entries(database.id).expect("a count");
    }
    let pins = daemon.ipfs_ok(&["pin", "ls", "--type=recursive", "--names"]);
    assert!(!pins.contains("debros/dropped."), "{pins}");
    let held = Held::by(&daemon).await;
    held.nothing_twice();
    println!("{runs} kills, {} databases kept, {entries} entries", kept.len());
    let status = courier.status();
    assert_eq!((held.entries.len() as u64, held.pins as u64, status.foreign_pins), (entries, status.pins, 0));
    assert!(entries > 0, "the child got to write");
    assert!(node.verify().expect("verify runs").is_clean());
    drop(courier);
    node.close().await.expect("it closes");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Numbers below others, which the seed repeats.
fn random() -> impl FnMut(u64) -> u64 {
    let mut random = setting("DEBROS_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("DEBROS_CRASH_SEED={random}");
    move |n| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    }
}

/// Starts a child, and kills it so many microseconds after it has opened the folder.
fn kill(run: u64, child: &str, daemon: &KuboDaemon, folder: &Path, after: u64) {
    let mut process = Command::new(std::env::current_exe().expect("this program"))
        .args([child, "--exact", "--nocapture"])
        .env(CHILD, format!("{} {}", daemon.url(), folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child process");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let opened = lines.find_map(|line| line.expect("its output").contains("@open").then_some(()));
    assert!(opened.is_some(), "run {run}: the child ended by itself");
    std::thread::sleep(Duration::from_micros(after));
    process.kill().expect("it is alive");
    process.wait().expect("it is dead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_entry_is_pinned_once_however_often_the_application_is_killed() {
    let runs = setting("DEBROS_CRASH_RUNS").unwrap_or(50);
    let mut below = random();
    let daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    for run in 0..runs {
        kill(run, "child", &daemon, folder.path(), below(400_000));
    }
    let db = open(folder.path(), &daemon.url()).await;
    db.kubo().flush(Duration::from_secs(120)).await.expect("everything is confirmed");
    let me = db.session(&db.identity("writer").await.expect("an identity"));
    let rows = Note::query().count(&me).await.expect("a count");
    // merging goes on for a moment
    let mut held = Held::by(&daemon).await;
    for _ in 0..100 {
        if held.pins as u64 == db.kubo().status().pins && held.entries.len() as u64 == rows {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        held = Held::by(&daemon).await;
    }
    held.nothing_twice();
    let status = db.kubo().status();
    println!("{runs} kills, {rows} entries, {} pins", held.pins);
    assert_eq!((held.entries.len() as u64, held.pins as u64, status.foreign_pins), (rows, status.pins, 0));
    assert!(rows > runs, "the child got to write");
    assert!(db.verify().await.expect("verify runs").is_clean());
    db.close().await.expect("it closes");
}
