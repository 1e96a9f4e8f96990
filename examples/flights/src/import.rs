//! The import: five tables, in batches, each batch whole or not at all.
//!
//! Batches are written in the order of the file. So what an import that was killed left behind is the beginning of the
//! file, and the number of stored records says where to go on. Every record has a key that the file gives; the last of the stored
//! ones is looked up, to be sure that it is this file that they came from.

use crate::{
    models::{Airline, Airport, Flight, NewAirline, NewAirport, NewFlight, NewPlane, NewWeather, Plane, Weather},
    table::{Row, Table, TableError},
};
use debros::{Batch, QueryError, WriteError, prelude::*};
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Records in one batch: one commit.
const BATCH: usize = 1_000;

/// Why an import stopped. What it stored so far stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Other data is there.
    #[error(
        "the data folder has {stored} {what} that do not come from {file}: name another folder with --data, or the file that was imported with --full"
    )]
    OtherData {
        /// How many records are stored.
        stored: u64,
        /// Of what.
        what: &'static str,
        /// What they were to come from.
        file: String,
    },
    /// A batch was refused.
    #[error("{file}, lines {first} to {last}: {source}")]
    Batch {
        /// The table.
        file: String,
        /// The first line of the batch.
        first: u64,
        /// The last line of the batch.
        last: u64,
        /// Why.
        source: WriteError,
    },
    /// What is stored cannot be told.
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Imports what is not there yet: the tables that are part of this program, and the flights of `full` or of the first week.
pub async fn import(me: &Session, full: Option<&Path>) -> Result<(), ImportError> {
    let airlines = Table::embedded("airlines.csv", include_bytes!("../data/airlines.csv"))?;
    let airports = Table::embedded("airports.csv", include_bytes!("../data/airports.csv"))?;
    let planes = Table::embedded("planes.csv", include_bytes!("../data/planes.csv"))?;
    let weather = Table::embedded("weather.csv.zip", include_bytes!("../data/weather.csv.zip"))?;
    let flights = match full {
        Some(path) => Table::open(path)?,
        None => Table::embedded("flights-week1.csv.zip", include_bytes!("../data/flights-week1.csv.zip"))?,
    };

    let stored = Airline::query().count(me).await?;
    let is_stored = async |row: &Row<'_>| Ok(Airline::get(row.text("carrier")?).fetch(me).await?.is_some());
    import_table(me, &airlines, "airlines", stored, is_stored, airline).await?;

    let stored = Airport::query().count(me).await?;
    let is_stored = async |row: &Row<'_>| Ok(Airport::get(row.text("faa")?).fetch(me).await?.is_some());
    import_table(me, &airports, "airports", stored, is_stored, airport).await?;

    let stored = Plane::query().count(me).await?;
    let is_stored = async |row: &Row<'_>| Ok(Plane::get(row.text("tailnum")?).fetch(me).await?.is_some());
    import_table(me, &planes, "planes", stored, is_stored, plane).await?;

    let stored = Weather::query().count(me).await?;
    let is_stored = async |row: &Row<'_>| {
        let key = (row.get("origin")?, row.get("time_hour")?);
        Ok(Weather::get(&key).fetch(me).await?.is_some())
    };
    import_table(me, &weather, "hours of weather", stored, is_stored, hour_of_weather).await?;

    let stored = Flight::query().count(me).await?;
    let is_stored = async |row: &Row<'_>| {
        let key = (row.get("time_hour")?, row.get("carrier")?, row.get("flight")?);
        Ok(Flight::get(&key).fetch(me).await?.is_some())
    };
    import_table(me, &flights, "flights", stored, is_stored, flight).await
}

fn airline(batch: Batch, row: &Row<'_>) -> Result<Batch, TableError> {
    let airline = NewAirline { carrier: row.get("carrier")?, name: row.get("name")? };
    Ok(batch.create(airline, |a| a))
}

fn airport(batch: Batch, row: &Row<'_>) -> Result<Batch, TableError> {
    let airport = NewAirport {
        faa: row.get("faa")?,
        name: row.get("name")?,
        lat: row.get("lat")?,
        lon: row.get("lon")?,
        alt: row.get("alt")?,
        tz: row.get("tz")?,
        dst: row.get("dst")?,
    };
    let tzone: Option<String> = row.optional("tzone")?;
    Ok(batch.create(airport, |a| a.set(|a| a.tzone, tzone)))
}

fn plane(batch: Batch, row: &Row<'_>) -> Result<Batch, TableError> {
    let plane = NewPlane {
        tailnum: row.get("tailnum")?,
        kind: row.get("type")?,
        manufacturer: row.get("manufacturer")?,
        model: row.get("model")?,
        engines: row.get("engines")?,
        seats: row.get("seats")?,
        engine: row.get("engine")?,
    };
    let (year, speed): (Option<i64>, Option<u16>) = (row.optional("year")?, row.optional("speed")?);
    Ok(batch.create(plane, |p| p.set(|p| p.year, year).set(|p| p.speed, speed)))
}

fn hour_of_weather(batch: Batch, row: &Row<'_>) -> Result<Batch, TableError> {
    let hour = NewWeather {
        origin: row.get("origin")?,
        time_hour: row.get("time_hour")?,
        precip: row.get("precip")?,
        visib: row.get("visib")?,
    };
    let temp: Option<f64> = row.optional("temp")?;
    let dewp: Option<f64> = row.optional("dewp")?;
    let humid: Option<f64> = row.optional("humid")?;
    let wind_dir: Option<u16> = row.optional("wind_dir")?;
    let wind_speed: Option<f64> = row.optional("wind_speed")?;
    let wind_gust: Option<f64> = row.optional("wind_gust")?;
    let pressure: Option<f64> = row.optional("pressure")?;
    Ok(batch.create(hour, |w| {
        w.set(|w| w.temp, temp)
            .set(|w| w.dewp, dewp)
            .set(|w| w.humid, humid)
            .set(|w| w.wind_dir, wind_dir)
            .set(|w| w.wind_speed, wind_speed)
            .set(|w| w.wind_gust, wind_gust)
            .set(|w| w.pressure, pressure)
    }))
}

fn flight(batch: Batch, row: &Row<'_>) -> Result<Batch, TableError> {
    let flight = NewFlight {
        time_hour: row.get("time_hour")?,
        carrier: row.get("carrier")?,
        number: row.get("flight")?,
        year: row.get("year")?,
        month: row.get("month")?,
        day: row.get("day")?,
        hour: row.get("hour")?,
        minute: row.get("minute")?,
        sched_dep_time: row.get("sched_dep_time")?,
        sched_arr_time: row.get("sched_arr_time")?,
        origin: row.get("origin")?,
        dest: row.get("dest")?,
        distance: row.get("distance")?,
    };
    let dep_time: Option<u16> = row.optional("dep_time")?;
    let dep_delay: Option<i64> = row.optional("dep_delay")?;
    let arr_time: Option<u16> = row.optional("arr_time")?;
    let arr_delay: Option<i64> = row.optional("arr_delay")?;
    let tailnum: Option<String> = row.optional("tailnum")?;
    let air_time: Option<u16> = row.optional("air_time")?;
    Ok(batch.create(flight, |f| {
        f.set(|f| f.dep_time, dep_time)
            .set(|f| f.dep_delay, dep_delay)
            .set(|f| f.arr_time, arr_time)
            .set(|f| f.arr_delay, arr_delay)
            .set(|f| f.tailnum, tailnum)
            .set(|f| f.air_time, air_time)
    }))
}

/// Imports the rows of a table after the first `stored`.
async fn import_table(
    me: &Session,
    table: &Table,
    what: &'static str,
    stored: u64,
    is_stored: impl AsyncFn(&Row<'_>) -> Result<bool, ImportError>,
    add: impl Fn(Batch, &Row<'_>) -> Result<Batch, TableError>,
) -> Result<(), ImportError> {
    if table.rows().next_row()?.is_none() {
        return Err(TableError::Empty { file: table.name().to_owned() }.into());
    }
    let mut rows = table.rows();
    let known = stored.min(table.row_count());
    for number in 1..=known {
        let Some(row) = rows.next_row()? else { break };
        if number == known && !is_stored(&row).await? {
            return Err(ImportError::OtherData { stored, what, file: table.name().to_owned() });
        }
    }
    let new = table.row_count().saturating_sub(stored);
    if new == 0 {
        return Ok(());
    }
    if stored > 0 {
        eprintln!("{} {what} are here already, going on after them", HumanCount(stored));
    }

    let start = Instant::now();
    let bar = progress_bar(new, what);
    let mut more = true;
    while more {
        let (mut batch, mut size) = (me.batch(), 0);
        let mut lines = None;
        while size < BATCH {
            let Some(row) = rows.next_row()? else {
                more = false;
                break;
            };
            batch = add(batch, &row)?;
            size += 1;
            lines = Some(lines.map_or((row.line(), row.line()), |(first, _)| (first, row.line())));
        }
        if let Some((first, last)) = lines {
            let refused = |source| ImportError::Batch { file: table.name().to_owned(), first, last, source };
            batch.await.map_err(refused)?;
            bar.inc(size as u64);
        }
    }
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64().max(0.001);
    let (count, rate) = (bar.position(), bar.position() as f64 / seconds);
    eprintln!("{} {what} imported in {seconds:.1} s, {} a second", HumanCount(count), HumanCount(rate as u64));
    Ok(())
}

fn progress_bar(len: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(len).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    match ProgressStyle::with_template("{msg:<17} {bar:40} {human_pos:>8} of {human_len}, {rate} a second, {eta} left")
    {
        Ok(style) => bar.with_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // a bar that cannot be drawn is no reason to stop
            let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
        })),
        Err(_) => bar,
    }
}
