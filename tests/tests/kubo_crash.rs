//! An application that ships to a real Kubo daemon is killed with SIGKILL at random moments, again and again on one data
//! folder. Afterwards the daemon pins each entry once, and there is no pin that nobody needs.
//!
//! `DEBROS_CRASH_RUNS` sets how often (50), `DEBROS_CRASH_SEED` repeats a run's delays.

use debros::prelude::*;
use debros_tests::{Held, KuboDaemon};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_entry_is_pinned_once_however_often_the_application_is_killed() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let runs = setting("DEBROS_CRASH_RUNS").unwrap_or(50);
    let mut random = setting("DEBROS_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("DEBROS_CRASH_SEED={random}");
    let mut below = |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    let daemon = KuboDaemon::start();
    let folder = tempfile::tempdir().expect("a folder");
    for run in 0..runs {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["child", "--exact", "--nocapture"])
            .env(CHILD, format!("{} {}", daemon.url(), folder.path().display()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let opened = lines.find_map(|line| line.expect("its output").contains("@open").then_some(()));
        assert!(opened.is_some(), "run {run}: the child ended by itself");
        std::thread::sleep(Duration::from_micros(below(400_000)));
        process.kill().expect("it is alive");
        process.wait().expect("it is dead");
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
