//! How soon a change is told after its commit, how many are told in a second, and what readers cost the writer.

use crate::{
    Outcome,
    durable::{Message, message},
    machine,
};
use debros::prelude::*;
use std::time::Instant;

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let db = Db::open(folder.path().join("data"), "bench", models![Message]).await?;
    let me = db.session(&db.identity("bench").await?).durability(Durability::Buffered);

    let (batch, batches) = (1_000, 20);
    let mut writing = Vec::new();
    let mut readers = Vec::new();
    for round in 0..3 {
        let begin = Instant::now();
        for n in 0..batches {
            me.batch().create_all((0..batch).map(|m| message((round * batches + n) * batch + m))).await?;
        }
        writing.push((readers.len(), (batch * batches) as f64 / begin.elapsed().as_secs_f64()));
        if round == 0 {
            // one that waits for what never comes, and reads whatever is written
            let mut idle = Message::changes().filter(|m| m.to.eq("nobody")).stream(&me);
            readers.push(tokio::spawn(async move { idle.next().await.is_none() }));
        } else {
            for _ in 0..3 {
                let mut follows = Message::changes().stream(&me);
                readers.push(tokio::spawn(async move {
                    while follows.next().await.is_some() {}
                    true
                }));
            }
        }
    }
    for (readers, rate) in writing {
        println!("batches of {batch} beside {readers} readers: {rate:.0} records/s");
    }

    let begin = Instant::now();
    let mut all = Message::changes().from_beginning().until_now().stream(&me);
    let mut told = 0u64;
    while let Some(change) = all.next().await {
        change?;
        told += 1;
    }
    println!("from the beginning: {:.0} changes/s ({told} of them)", told as f64 / begin.elapsed().as_secs_f64());

    for readers in &readers {
        readers.abort();
    }
    let mut live = Message::changes().stream(&me);
    let (told, mut telling) = tokio::sync::mpsc::unbounded_channel();
    let reader = tokio::spawn(async move {
        while let Some(change) = live.next().await {
            // nobody listens any more at the end
            let _ = told.send((change.is_ok(), Instant::now()));
        }
    });
    let mut after = Vec::new();
    for n in 0..2_000 {
        me.create(message(n)).await?;
        let answered = Instant::now();
        let (_, at) = telling.recv().await.ok_or("the stream has ended")?;
        after.push(at.saturating_duration_since(answered));
    }
    reader.abort();
    let (half, most) = (machine::quantile(&mut after, 0.5), machine::quantile(&mut after, 0.99));
    println!("told after the answer to the writer: median {half:?}, 99 of 100 within {most:?} (goal: 1 ms)");
    db.close().await?;
    Ok(())
}
