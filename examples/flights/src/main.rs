//! The command line of the example: import, ask, print.

use clap::{Parser, ValueEnum};
use debros::prelude::*;
use flights::{
    answers, import,
    models::{Airline, Airport, Flight, Plane, Weather},
    report::Report,
};
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
    let db = Db::open(&options.data, "flights", models![Airline, Airport, Plane, Weather, Flight]).await?;
    let me = db.session(&db.identity("importer").await?);

    let outcome = async {
        import::import(&me, options.full.as_deref()).await?;
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
