//! The full import: five models, with the time, the memory, the size of the data folder, and the longest time a write took meanwhile.

use crate::{Outcome, full_data, machine};
use debros::prelude::*;
use flights::{
    import,
    models::{Airline, Airport, Flight, Plane, Weather},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// A record that is written beside the import, to see how long a write waits.
#[model(scope = user)]
#[derive(Debug, Clone)]
pub(crate) struct Tick {
    /// Its key.
    #[field(key)]
    pub id: Id<Tick>,
    /// Which one it is.
    pub number: i64,
}

/// Opens the folder of the flights.
pub(crate) async fn open(folder: &Path) -> Result<Db, debros::Error> {
    Ok(Db::open(folder, "flights", models![Airline, Airport, Plane, Weather, Flight, Tick]).await?)
}

/// Imports what there is into a folder.
pub(crate) async fn fill(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let db = open(folder).await?;
    let me = db.session(&db.identity("importer").await?);
    import::import(&me, full_data::file().as_deref()).await?;
    db.close().await?;
    Ok(())
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let data = folder.path().join("data");
    let db = open(&data).await?;
    let me = db.session(&db.identity("importer").await?);
    let ticks = tokio::spawn({
        let me = me.clone();
        async move {
            let mut times = Vec::new();
            for number in 0.. {
                let begin = Instant::now();
                if me.create(NewTick { number }).await.is_err() {
                    break;
                }
                times.push(begin.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            times
        }
    });
    let begin = Instant::now();
    import::import(&me, full_data::file().as_deref()).await?;
    let import = begin.elapsed();
    let flights = Flight::query().count(&db).await?;
    let begin = Instant::now();
    db.close().await?;
    let close = begin.elapsed();
    let mut times = ticks.await?;
    let (median, longest) = (machine::quantile(&mut times, 0.5), times.last().copied().unwrap_or_default());
    let mut segments = 0;
    for file in std::fs::read_dir(data.join("segments"))? {
        let file = file?;
        if file.path().extension().is_some_and(|end| end == "car") {
            segments += file.metadata()?.len();
        }
    }
    let used = machine::disk_usage(&data)?;
    println!(
        "{flights} flights and four tables in {:.1} s (goal: 60 s for 336776), closed in {close:.1?}",
        import.as_secs_f64()
    );
    println!("peak memory {:.0} MiB (goal: under 500 MB)", machine::mib(machine::peak_memory()?));
    println!(
        "data folder {:.0} MiB for {:.0} MiB of blocks with their journal: ratio {:.2} (goal: 2.2 of the blocks)",
        machine::mib(used),
        machine::mib(segments),
        used as f64 / segments as f64
    );
    println!(
        "{} single writes meanwhile: median {median:.1?}, longest {longest:.1?} (goal: at most 250 ms)",
        times.len()
    );
    Ok(())
}
