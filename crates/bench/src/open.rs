//! How long it takes to open a grown data folder and answer a first indexed query: after a clean close, and after a kill.

use crate::{Outcome, import, machine};
use flights::models::Flight;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How this program is told to be the process that is killed.
pub(crate) const CHILD: &str = "--write-until-killed";

/// Opens a folder, writes into it and says so, until somebody kills it.
pub(crate) fn child(arguments: &[String]) -> Outcome {
    let folder = arguments.first().ok_or("which folder?")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let db = import::open(Path::new(folder)).await?;
        let me = db.session(&db.identity("importer").await?);
        for round in 0i64.. {
            let ticks = (0..1_000).map(|n| import::NewTick { number: round * 1_000 + n });
            me.batch().create_all(ticks).await?;
            println!("{round}");
        }
        Ok(())
    })
}

async fn first_answer(folder: &Path) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let begin = Instant::now();
    let db = import::open(folder).await?;
    let rows =
        Flight::query().filter(|f| f.carrier.eq("UA")).order_by(|f| f.time_hour.asc()).limit(20).fetch(&db).await?;
    let time = begin.elapsed();
    if rows.len() != 20 {
        return Err(format!("20 rows were expected, {} came", rows.len()).into());
    }
    let count = Flight::query().count(&db).await?;
    db.close().await?;
    Ok((time, count))
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let data = folder.path().join("data");
    import::fill(&data).await?;
    let mut clean = Vec::new();
    let mut flights = 0;
    for _ in 0..5 {
        let (time, count) = first_answer(&data).await?;
        (flights, clean) = (count, [clean, vec![time]].concat());
    }
    println!(
        "{flights} flights, after a clean close: {:.1?} to the first answer (median of 5, goal: 50 ms)",
        machine::quantile(&mut clean, 0.5)
    );
    let mut killed = Vec::new();
    for rounds in [2, 3, 5, 8, 13] {
        let mut process = Command::new(std::env::current_exe()?)
            .args([CHILD.as_ref(), data.as_os_str()])
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        for line in lines.take(rounds) {
            line?;
        }
        process.kill()?;
        process.wait()?;
        killed.push(first_answer(&data).await?.0);
    }
    let longest = killed.iter().max().copied().unwrap_or_default();
    println!(
        "after a kill in the middle of writing: {:.1?}, longest {longest:.1?} (median of 5, goal: 300 ms)",
        machine::quantile(&mut killed, 0.5)
    );
    Ok(())
}
