//! A node drops a database again and again, and opens and fills it anew, beside another that stays.

use crate::{child::Child, kills, moment::Moment, random::Random};
use debros_core::{Map, Value};
use debros_ipfs::Step;
use debros_orbit::{DatabaseId, DatabaseSpec, Durability, NoSchema, Node, NodeOptions, ReadDocuments as _, WriteError};
use std::{path::Path, sync::Arc, time::Duration};

/// More rows than are taken away in one write.
const ROWS: u64 = 600;

/// So many kills happen to one folder.
const KILLS_OF_A_FOLDER: u64 = 4;

/// Small segments and frequent checkpoints, so that every step comes soon.
fn open(folder: &Path) -> Node {
    let mut options = NodeOptions::default();
    options.store.segment_size = 512 << 10;
    options.store.checkpoint_bytes = 64 << 10;
    Node::open(folder, options, Arc::new(NoSchema)).expect("the data folder opens")
}

fn spec(name: &str) -> DatabaseSpec {
    DatabaseSpec::documents(name, ["*"])
}

async fn open_database(node: &Node, name: &str) -> DatabaseId {
    let spec = spec(name);
    let opened = node.write(Durability::Local, move |w| w.open(&spec));
    opened.await.expect("the database opens")
}

async fn put(node: &Node, database: DatabaseId, keys: std::ops::Range<u64>) {
    let me = node.identity("me").expect("keys");
    let written = node.write(Durability::Local, move |w| {
        for key in keys {
            let record = Map::from_iter([("_id", Value::from(format!("{key:06}"))), ("text", "a text".into())]);
            w.put(database, &me, record)?;
        }
        Ok::<_, WriteError>(())
    });
    written.await.expect("it is written");
}

/// Not a test of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(folder) = Child::argument() else { return };
    let node = open(Path::new(&folder));
    let kept = open_database(&node, "kept").await;
    Child::say("open");
    let mut rows = node.snapshot().expect("a snapshot").count(kept).expect("a count");
    loop {
        put(&node, kept, rows..rows + 1).await;
        rows += 1;
        Child::say(&format!("kept {rows}"));
        let mut dropped = open_database(&node, "dropped").await;
        if node.snapshot().expect("a snapshot").count(dropped).expect("a count") > 0 {
            // it was full when the process before this one was killed
            node.drop_database(dropped).await.expect("it is dropped");
            dropped = open_database(&node, "dropped").await;
        }
        put(&node, dropped, 0..ROWS).await;
        Child::say("full");
        node.drop_database(dropped).await.expect("it is dropped");
        Child::say("gone");
        node.reclaim().await.expect("its room is given back");
        Child::say("given back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_dropped_whole_whenever_it_is_interrupted() {
    let mut folder = tempfile::tempdir().expect("a folder");
    let mut random = Random::of_this_run();
    let mut kept = 0;
    let mut unfinished = 0;
    let steps = [Step::SegmentAppend, Step::SegmentSync, Step::StateCommit].into_iter().chain(Moment::REWRITING);
    let points: Vec<_> = steps.flat_map(|step| [step.before(), step.after()]).collect();
    let mut gone = 0;
    for run in 0..kills() / 15 {
        if run % KILLS_OF_A_FOLDER == 0 {
            (folder, kept) = (tempfile::tempdir().expect("a folder"), 0);
        }
        let moment = match run % 3 {
            0 => Moment::Open(Duration::from_micros(random.below(400_000))),
            _ => Moment::At { point: points[run as usize % points.len()].clone(), times: 1 + random.below(6) },
        };
        let child = Child::run("drops::child", folder.path().to_str().expect("a path"), &moment);
        assert!(child.came_there || !matches!(moment, Moment::At { .. }), "run {run}: it does not come to {moment:?}");
        let said = child.said.iter().rev();
        kept = said.filter_map(|line| line.strip_prefix("kept ")?.parse().ok()).next().unwrap_or(kept);
        unfinished += u64::from(child.said.last().is_some_and(|line| line == "full"));

        let node = open(folder.path());
        let snapshot = node.snapshot().expect("a snapshot");
        let found = snapshot.find(&spec("kept")).expect("it is read");
        let rows = found.map_or(0, |info| snapshot.scan_keys(info.id, &[], None, false).count() as u64);
        assert!(rows == kept || rows == kept + 1, "run {run}: {rows} rows, of which {kept} were answered");
        kept = rows;
        if let Some(info) = snapshot.find(&spec("dropped")).expect("it is read") {
            let rows = snapshot.count(info.id).expect("a count");
            assert!(rows == 0 || rows == ROWS, "run {run}: {rows} rows are left");
            assert_eq!(snapshot.scan_keys(info.id, &[], None, false).count() as u64, rows, "run {run}");
            assert_eq!(snapshot.entries(info.id).expect("a count"), rows, "run {run}");
        }
        let report = node.verify().expect("verify runs");
        assert!(report.is_clean(), "run {run}: {report}");
        gone = gone.max(report.gone);
        drop(snapshot);
        if random.below(2) == 0 {
            node.close().await.expect("it closes");
        }
    }
    println!("killed while it was being dropped: {unfinished} times; {gone} blocks are gone");
    assert!(gone >= ROWS, "room was given back: {gone} blocks are gone");
}
