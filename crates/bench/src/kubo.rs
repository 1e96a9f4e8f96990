//! Shipping to a real Kubo daemon: a flush beside a bare `dag/import` of the same file, shipping under steady writing, and what
//! shipping costs the writer.

use crate::{Outcome, durable::Message, durable::message, machine};
use debros::prelude::*;
use debros_ipfs::{CarWriter, Kubo, KuboOptions};
use debros_tests::{KuboDaemon, KuboDaemonOptions};
use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

/// How many entries are shipped.
const COUNT: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(600);

async fn open(folder: &Path, daemon: Option<&KuboDaemon>) -> Result<Db, debros::OpenError> {
    let builder = Db::builder(folder, "bench");
    match daemon {
        Some(daemon) => builder.kubo(daemon.url()).open(models![Message]).await,
        None => builder.open(models![Message]).await,
    }
}

/// Writes batches of 1,000; how many records a second.
async fn write(me: &Session, batches: usize) -> Result<f64, debros::Error> {
    let begin = Instant::now();
    for batch in 0..batches {
        me.batch().create_all((0..1_000).map(|n| message(batch * 1_000 + n))).await?;
    }
    Ok((batches * 1_000) as f64 / begin.elapsed().as_secs_f64())
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    flush(&folder.path().join("flush")).await?;
    let db = open(&folder.path().join("alone"), None).await?;
    let alone = write(&db.session(&db.identity("bench").await?), COUNT / 1_000).await?;
    db.close().await?;
    for (store, daemon) in [("flatfs", KuboDaemonOptions::new()), ("pebble", KuboDaemonOptions::new().pebble())] {
        let (daemon, path) = (daemon.start(), folder.path().join(store));
        let db = open(&path, Some(&daemon)).await?;
        let me = db.session(&db.identity("bench").await?);
        let begin = Instant::now();
        let with = write(&me, COUNT / 1_000).await?;
        db.kubo().flush(PATIENCE).await?;
        let rate = COUNT as f64 / begin.elapsed().as_secs_f64();
        db.close().await?;
        println!("{store}: {COUNT} entries written and confirmed at {rate:.0} a second (goal: 10000)");
        println!(
            "        writing: {with:.0} records/s meanwhile, {alone:.0} alone: {:.0} % less (goal: less than 15 %)",
            100.0 * (1.0 - with / alone)
        );
    }
    Ok(())
}

/// Flushes of 1,000 entries, each beside a bare import, pinned, of the same file into another daemon.
async fn flush(folder: &Path) -> Outcome {
    let (daemon, other) = (KuboDaemon::start(), KuboDaemon::start());
    let (ours, bare) = (Kubo::new(KuboOptions::new(daemon.url()))?, Kubo::new(KuboOptions::new(other.url()))?);
    let db = open(folder, Some(&daemon)).await?;
    let me = db.session(&db.identity("bench").await?);
    let (mut flushes, mut imports) = (Vec::new(), Vec::new());
    let mut known = HashSet::new();
    // fewer than are merged
    for round in 0..7 {
        write(&me, 1).await?;
        let begin = Instant::now();
        db.kubo().flush(PATIENCE).await?;
        flushes.push(begin.elapsed());
        for pin in ours.pins_named("debros/").await? {
            if !known.insert(pin.cid) {
                continue;
            }
            let mut car = CarWriter::new(&[pin.cid]);
            let mut blocks = ours.dag_export(&pin.cid).await?;
            while let Some((cid, data)) = blocks.next().await? {
                car.block(&cid, &data);
            }
            let begin = Instant::now();
            bare.dag_import_pinned(vec![car.finish()], 0).await?;
            if round > 0 {
                imports.push(begin.elapsed());
            }
        }
    }
    db.close().await?;
    flushes.remove(0);
    let (flush, import) = (machine::quantile(&mut flushes, 0.5), machine::quantile(&mut imports, 0.5));
    println!(
        "flush of 1,000: {flush:?} beside {import:?} of a bare dag/import of the same file (medians): ratio {:.2} (goal: 1.3)",
        flush.as_secs_f64() / import.as_secs_f64()
    );
    Ok(())
}
