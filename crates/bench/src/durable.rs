//! How fast durable writes are: in batches, one by one beside `append + fdatasync` of the same bytes, and from 16 writers at once.

use crate::{Outcome, machine};
use debros::prelude::*;
use std::{
    fs::OpenOptions,
    io::Write as _,
    time::{Duration, Instant},
};

/// A record of about 250 bytes, as an application writes them.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Its key.
    #[field(key)]
    pub id: Id<Message>,
    /// Whom it is for.
    #[field(index)]
    pub to: String,
    /// What it says.
    pub text: String,
    /// When it was written.
    #[field(created, index)]
    pub at: Timestamp,
}

pub(crate) fn message(n: usize) -> NewMessage {
    NewMessage { to: format!("user-{}", n % 97), text: format!("{n:06} {}", "lorem ipsum ".repeat(12)) }
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let db = Db::open(folder.path().join("data"), "bench", models![Message]).await?;
    let me = db.session(&db.identity("bench").await?);

    let (batch, batches) = (1_000, 20);
    let begin = Instant::now();
    for round in 0..batches {
        me.batch().create_all((0..batch).map(|n| message(round * batch + n))).await?;
    }
    let rate = (batch * batches) as f64 / begin.elapsed().as_secs_f64();
    println!("batches of {batch}: {rate:.0} signed, durable records/s (goal: at least 10000)");

    let rounds = 400;
    let file = folder.path().join("raw");
    let mut raw = OpenOptions::new().create(true).append(true).open(&file)?;
    // a record's entry takes about 900 bytes in its segment, its journal record included
    let mut bytes = vec![7u8; 1_000];
    let (mut ours, mut peers, mut from_async) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..rounds {
        let begin = Instant::now();
        me.create(message(n)).await?;
        ours.push(begin.elapsed());
        let begin = Instant::now();
        raw.write_all(&bytes)?;
        raw.sync_data()?;
        peers.push(begin.elapsed());
        // a file cannot be synced where an async application awaits: it pays for another thread too
        let begin = Instant::now();
        (raw, bytes) = tokio::task::spawn_blocking(move || {
            raw.write_all(&bytes)?;
            raw.sync_data()?;
            Ok::<_, std::io::Error>((raw, bytes))
        })
        .await??;
        from_async.push(begin.elapsed());
    }
    let (our, peer) = (machine::quantile(&mut ours, 0.5), machine::quantile(&mut peers, 0.5));
    let from_async = machine::quantile(&mut from_async, 0.5);
    let ratio = our.as_secs_f64() / peer.as_secs_f64();
    println!(
        "single: {our:?} beside {peer:?} of append + fdatasync (medians of {rounds}): ratio {ratio:.2} (goal: 1.5)"
    );
    let ratio = our.as_secs_f64() / from_async.as_secs_f64();
    println!("        beside {from_async:?} of the same on a thread for blocking work, awaited: ratio {ratio:.2}");

    let (writers, each) = (16, 100);
    let begin = Instant::now();
    let tasks = (0..writers).map(|writer| {
        let me = me.clone();
        async move {
            for n in 0..each {
                me.create(message(writer * each + n)).await?;
            }
            Ok::<(), debros::Error>(())
        }
    });
    futures::future::try_join_all(tasks).await?;
    let one = begin.elapsed() / (writers * each) as u32;
    println!(
        "{writers} writers at once: {one:?} a record, {:.1} times as fast as one",
        our.as_secs_f64() / one.as_secs_f64().max(Duration::from_nanos(1).as_secs_f64())
    );
    db.close().await?;
    Ok(())
}
