//! The command line of the example: import, ask, print.

use clap::{Parser, ValueEnum};
use debros::prelude::*;
use flights::{
    answers, import,
    models::{Airline, Airport, Flight, Plane, Weather},
    report::Report,
};
#[cfg(feature = "kubo")]
use std::time::Duration;
use std::{error::Error, path::PathBuf, process::ExitCode};

/// Imports the flights of nycflights13, and answers questions about them.
///
/// The first week, 6,099 flights, is part of the program. A second run finds the data and answers at once; an import that was
/// killed goes on where it stopped.
#[derive(Parser)]
struct Options {
    /// The data folder; made, if it is not there.
    #[arg(long, value_name = "DIR", default_value = "data/flights")]
    data: PathBuf,
    /// Import all flights from this file: the flights.csv of nycflights13, or a zip archive of it.
    #[arg(long, value_name = "FILE")]
    full: Option<PathBuf>,
    /// Keep the blocks in this Kubo daemon, too: the address of its RPC, as http://127.0.0.1:5001. The program has to be built with
    /// `--features kubo`.
    #[arg(long, value_name = "URL")]
    kubo: Option<String>,
    /// How to print the answers.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The plane whose flights are listed.
    #[arg(long, value_name = "TAILNUM", default_value = "N14542")]
    plane: String,
    /// The airline whose timetable is shown.
    #[arg(long, value_name = "CODE", default_value = "UA")]
    carrier: String,
}

/// How answers are printed.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let db = open(&options).await?;
    let me = db.session(&db.identity("importer").await?);

    let outcome = async {
        import::import(&me, options.full.as_deref()).await?;
        #[cfg(feature = "kubo")]
        if options.kubo.is_some() {
            ship(&db).await?;
        }
        let answers = answers::ask(&db, &options.plane, &options.carrier).await?;
        match options.format {
            Format::Table => print!("{}", Report(&answers)),
            Format::Json => println!("{}", serde_json::to_string_pretty(&answers)?),
        }
        Ok(())
    }
    .await;
    db.close().await?;
    outcome
}

async fn open(options: &Options) -> Result<Db, Box<dyn Error>> {
    let builder = Db::builder(&options.data, "flights");
    #[cfg(feature = "kubo")]
    let builder = match &options.kubo {
        Some(url) => builder.kubo(url.as_str()),
        None => builder,
    };
    #[cfg(not(feature = "kubo"))]
    if options.kubo.is_some() {
        return Err("this program was built without the client for Kubo; run it by `cargo run --release -p flights --features kubo -- --kubo URL`".into());
    }
    Ok(builder.open(models![Airline, Airport, Plane, Weather, Flight]).await?)
}

/// Waits until the daemon holds everything, and tells how it goes.
#[cfg(feature = "kubo")]
async fn ship(db: &Db) -> Result<(), Box<dyn Error>> {
    let kubo = db.kubo();
    while kubo.flush(Duration::from_secs(1)).await.is_err() {
        let status = kubo.status();
        match status.last_error {
            Some((_, error)) if !status.reachable => return Err(error.into()),
            _ => eprintln!("{} entries are still to be sent to Kubo", status.outbox_entries),
        }
    }
    let status = kubo.status();
    eprintln!("Kubo {} holds everything, under {} pins", status.version.unwrap_or_default(), status.pins);
    Ok(())
}
