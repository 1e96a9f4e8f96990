//! An indexed page of 20 flights, and one flight by key, beside SQLite with the same rows and index.

use crate::{Outcome, import, machine};
use debros::prelude::*;
use flights::models::Flight;
use rusqlite::{Connection, params};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const ROUNDS: usize = 2_000;

/// What both read of a flight: all of it.
#[derive(Debug, PartialEq)]
struct Row {
    time_hour: i64,
    carrier: String,
    number: i64,
    date: (i64, i64, i64, i64, i64),
    sched: (i64, i64),
    times: (Option<i64>, Option<i64>, Option<i64>, Option<i64>),
    tailnum: Option<String>,
    route: (String, String),
    air_time: Option<i64>,
    distance: i64,
}

impl From<&Flight> for Row {
    fn from(f: &Flight) -> Row {
        Row {
            time_hour: f.time_hour.as_millis(),
            carrier: f.carrier.clone(),
            number: f.number.into(),
            date: (f.year.into(), f.month.into(), f.day.into(), f.hour.into(), f.minute.into()),
            sched: (f.sched_dep_time.into(), f.sched_arr_time.into()),
            times: (f.dep_time.map(Into::into), f.dep_delay, f.arr_time.map(Into::into), f.arr_delay),
            tailnum: f.tailnum.clone(),
            route: (f.origin.clone(), f.dest.clone()),
            air_time: f.air_time.map(Into::into),
            distance: f.distance.into(),
        }
    }
}

fn sqlite(file: &Path, rows: &[Row]) -> rusqlite::Result<Connection> {
    let mut sqlite = Connection::open(file)?;
    sqlite.execute_batch(
        "CREATE TABLE flights (time_hour INTEGER, carrier TEXT, number INTEGER, year INTEGER, month INTEGER, day INTEGER, hour INTEGER,
         minute INTEGER, sched_dep INTEGER, sched_arr INTEGER, dep_time INTEGER, dep_delay INTEGER, arr_time INTEGER, arr_delay INTEGER,
         tailnum TEXT, origin TEXT, dest TEXT, air_time INTEGER, distance INTEGER, PRIMARY KEY (time_hour, carrier, number));
         CREATE INDEX by_carrier ON flights (carrier, time_hour, minute);",
    )?;
    let transaction = sqlite.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO flights VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")?;
        for r in rows {
            insert.execute(params![
                r.time_hour,
                r.carrier,
                r.number,
                r.date.0,
                r.date.1,
                r.date.2,
                r.date.3,
                r.date.4,
                r.sched.0,
                r.sched.1,
                r.times.0,
                r.times.1,
                r.times.2,
                r.times.3,
                r.tailnum,
                r.route.0,
                r.route.1,
                r.air_time,
                r.distance
            ])?;
        }
    }
    transaction.commit()?;
    Ok(sqlite)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        time_hour: row.get(0)?,
        carrier: row.get(1)?,
        number: row.get(2)?,
        date: (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?),
        sched: (row.get(8)?, row.get(9)?),
        times: (row.get(10)?, row.get(11)?, row.get(12)?, row.get(13)?),
        tailnum: row.get(14)?,
        route: (row.get(15)?, row.get(16)?),
        air_time: row.get(17)?,
        distance: row.get(18)?,
    })
}

pub(crate) async fn run() -> Outcome {
    let folder = tempfile::tempdir_in(".")?;
    let data = folder.path().join("data");
    import::fill(&data).await?;
    let db = import::open(&data).await?;
    let all: Vec<Row> = Flight::query().fetch(&db).await?.iter().map(Row::from).collect();
    let sqlite = sqlite(&folder.path().join("flights.sqlite"), &all)?;
    println!("{} rows in each", all.len());

    let mut page = sqlite.prepare(
        "SELECT * FROM flights WHERE carrier = ? AND time_hour >= ? ORDER BY time_hour, minute, number LIMIT 20",
    )?;
    let mut one = sqlite.prepare("SELECT * FROM flights WHERE time_hour = ? AND carrier = ? AND number = ?")?;
    let (mut our_pages, mut their_pages) = (Vec::new(), Vec::new());
    let (mut our_gets, mut their_gets) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let row = &all[round * 7_919 % all.len()];
        let since = Timestamp::from_millis(row.time_hour);

        let begin = Instant::now();
        let ours = Flight::query()
            .filter(|f| f.carrier.eq(row.carrier.as_str()) & f.time_hour.ge(since))
            .order_by(|f| f.time_hour.asc())
            .order_by(|f| f.minute.asc())
            .page(20)
            .fetch(&db)
            .await?;
        our_pages.push(begin.elapsed());
        let begin = Instant::now();
        let theirs =
            page.query_map(params![row.carrier, row.time_hour], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        their_pages.push(begin.elapsed());
        if ours.rows.len() != theirs.len() {
            return Err(format!("a page of {} rows beside one of {}", ours.rows.len(), theirs.len()).into());
        }

        let begin = Instant::now();
        let key = (since, row.carrier.clone(), row.number as u16);
        let ours = Flight::get(&key).fetch(&db).await?;
        our_gets.push(begin.elapsed());
        let begin = Instant::now();
        let theirs = one.query_row(params![row.time_hour, row.carrier, row.number], read)?;
        their_gets.push(begin.elapsed());
        if ours.as_ref().map(Row::from).as_ref() != Some(&theirs) || theirs != *row {
            return Err(format!("different rows: {ours:?} and {theirs:?}").into());
        }
    }
    compare("a page of 20 by an index", &mut our_pages, &mut their_pages);
    compare("one row by key", &mut our_gets, &mut their_gets);
    db.close().await?;
    Ok(())
}

fn compare(what: &str, ours: &mut [Duration], theirs: &mut [Duration]) {
    let (our, their) = (machine::quantile(ours, 0.5), machine::quantile(theirs, 0.5));
    let ratio = our.as_secs_f64() / their.as_secs_f64().max(1e-9);
    println!("{what}: {our:.1?} beside {their:.1?} of SQLite: ratio {ratio:.2} (medians of {ROUNDS}, goal: 3)");
}
