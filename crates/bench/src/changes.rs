//! How soon a write is told beside being answered, how many are told in a second, and what readers cost the writer.

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
    let (mut answered, mut heard) = (Vec::new(), Vec::new());
    for n in 0..2_000 {
        let begin = Instant::now();
        me.create(message(n)).await?;
        answered.push(begin.elapsed());
        let (_, at) = telling.recv().await.ok_or("the stream has ended")?;
        heard.push(at.saturating_duration_since(begin));
    }
    reader.abort();
    for (who, times) in [("answered", &mut answered), ("told to a reader", &mut heard)] {
        let (half, most) = (machine::quantile(times, 0.5), machine::quantile(times, 0.99));
        println!("one write is {who} after {half:?} (median), 99 of 100 within {most:?}");
    }
    db.close().await?;
    Ok(())
}
