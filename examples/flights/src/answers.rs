//! What the data says: each function is a question, and one or two queries.

use crate::models::{Airline, Airport, Flight, Plane, Weather};
use debros::prelude::*;
use serde::Serialize;
use std::collections::HashMap;

/// Flights on a page of [`carrier_page`].
const PAGE: usize = 15;

/// All answers.
#[derive(Debug, Serialize)]
pub struct Answers {
    /// How many flights are stored.
    pub flights: u64,
    /// How many of them were cancelled.
    pub cancelled: u64,
    /// Which airline is late?
    pub carriers: Vec<CarrierDelay>,
    /// Which flights were most late?
    pub most_delayed: Vec<DelayedFlight>,
    /// What did one plane do?
    pub plane: PlaneHistory,
    /// Where do most flights go?
    pub busiest_routes: Vec<Route>,
    /// What was the weather in the worst hour?
    pub worst_hour: Option<WorstHour>,
    /// Page three of an airline's timetable.
    pub carrier_page: CarrierPage,
}

/// Asks everything at once: queries do not wait for each other.
pub async fn ask(db: &Db, tailnum: &str, carrier: &str) -> debros::Result<Answers> {
    let (flights, cancelled, carriers, most_delayed, plane, busiest_routes, worst_hour, carrier_page) = tokio::try_join!(
        count(db),
        count_cancelled(db),
        mean_delays(db),
        most_delayed(db, 20),
        plane_history(db, tailnum, 20),
        busiest_routes(db, 10),
        worst_hour(db),
        carrier_page(db, carrier, 3),
    )?;
    Ok(Answers { flights, cancelled, carriers, most_delayed, plane, busiest_routes, worst_hour, carrier_page })
}

/// How many flights are stored.
pub async fn count(db: &Db) -> debros::Result<u64> {
    Ok(Flight::query().count(db).await?)
}

/// How many flights were cancelled: they have no delay at departure.
pub async fn count_cancelled(db: &Db) -> debros::Result<u64> {
    Ok(Flight::query().filter(|f| f.dep_delay.is_none()).count(db).await?)
}

/// How late an airline leaves.
#[derive(Debug, Serialize)]
pub struct CarrierDelay {
    /// Its code.
    pub carrier: String,
    /// Its name.
    pub airline: String,
    /// How many flights left, and are counted.
    pub flights: u64,
    /// By how many minutes they left late, in the mean.
    pub mean_delay: Option<f64>,
}

/// The mean departure delay of each airline, largest first. A cancelled flight has no delay, so it counts for nothing.
pub async fn mean_delays(db: &Db) -> debros::Result<Vec<CarrierDelay>> {
    let airlines = Airline::query().fetch(db).await?;
    let mut names: HashMap<String, String> = airlines.into_iter().map(|a| (a.carrier, a.name)).collect();
    let delays = Flight::query()
        .filter(|f| f.dep_delay.is_some())
        .group_by(|f| f.carrier)
        .select(|g| (g.count(), g.avg(|f| f.dep_delay)))
        .order_by(|g| g.avg(|f| f.dep_delay).desc())
        .fetch(db)
        .await?;
    let rows = delays.into_iter().map(|(carrier, (flights, mean_delay))| {
        let airline = names.remove(&carrier).unwrap_or_default();
        CarrierDelay { carrier, airline, flights, mean_delay }
    });
    Ok(rows.collect())
}

/// A flight that left late.
#[derive(Debug, Serialize)]
pub struct DelayedFlight {
    /// By how many minutes.
    pub delay: i64,
    /// When it was to leave, local time.
    pub scheduled: String,
    /// Its number.
    pub flight: String,
    /// Who flew it.
    pub airline: String,
    /// With what, if it is known.
    pub plane: Option<String>,
    /// From where.
    pub from: String,
    /// Where to, if that airport is known.
    pub to: Option<String>,
    /// Where to, by its code.
    pub destination: String,
}

/// The flights that left with the largest delay.
pub async fn most_delayed(db: &Db, limit: usize) -> debros::Result<Vec<DelayedFlight>> {
    let flights = Flight::query()
        .filter(|f| f.dep_delay.is_some())
        .with(|f| (f.airline, f.plane, f.from, f.to))
        .order_by(|f| f.dep_delay.desc())
        .limit(limit)
        .fetch(db)
        .await?;
    let rows = flights.iter().map(|flight| DelayedFlight {
        delay: flight.dep_delay.unwrap_or_default(),
        scheduled: flight.scheduled(),
        flight: flight.code(),
        airline: flight.airline().name.clone(),
        plane: flight.plane().map(Plane::title),
        from: flight.from().name.clone(),
        to: flight.to().map(|airport| airport.name.clone()),
        destination: flight.dest.clone(),
    });
    Ok(rows.collect())
}

/// What a plane did.
#[derive(Debug, Serialize)]
pub struct PlaneHistory {
    /// The plane.
    pub tailnum: String,
    /// What it is, if it is in the register.
    pub plane: Option<String>,
    /// How often it left New York.
    pub flights: u64,
    /// The first of these flights.
    pub first: Vec<PlaneFlight>,
}

/// A flight of a plane.
#[derive(Debug, Serialize)]
pub struct PlaneFlight {
    /// When it was to leave, local time.
    pub scheduled: String,
    /// Its number.
    pub flight: String,
    /// From where, by its code.
    pub origin: String,
    /// Where to, if that airport is known.
    pub to: Option<String>,
    /// Where to, by its code.
    pub destination: String,
    /// By how many minutes it left late, if it left.
    pub delay: Option<i64>,
}

/// The flights of a plane, by time. It need not be in the register: then the flights are all that is known of it.
pub async fn plane_history(db: &Db, tailnum: &str, limit: usize) -> debros::Result<PlaneHistory> {
    let of_plane = Flight::FIELDS.tailnum.eq(tailnum);
    let flights = Flight::query()
        .matching(&of_plane)
        .with(|f| f.to)
        .order_by(|f| f.time_hour.asc())
        .order_by(|f| f.minute.asc())
        .limit(limit)
        .fetch(db)
        .await?;
    let first = flights.iter().map(|flight| PlaneFlight {
        scheduled: flight.scheduled(),
        flight: flight.code(),
        origin: flight.origin.clone(),
        to: flight.to().map(|airport| airport.name.clone()),
        destination: flight.dest.clone(),
        delay: flight.dep_delay,
    });
    Ok(PlaneHistory {
        tailnum: tailnum.to_owned(),
        plane: Plane::get(tailnum).fetch(db).await?.as_ref().map(Plane::title),
        flights: Flight::query().matching(&of_plane).count(db).await?,
        first: first.collect(),
    })
}

/// A route.
#[derive(Debug, Serialize)]
pub struct Route {
    /// From where, by its code.
    pub origin: String,
    /// From where.
    pub from: Option<String>,
    /// Where to, by its code.
    pub destination: String,
    /// Where to, if that airport is known.
    pub to: Option<String>,
    /// How many flights were planned.
    pub flights: u64,
}

/// The routes with the most flights.
pub async fn busiest_routes(db: &Db, limit: usize) -> debros::Result<Vec<Route>> {
    let routes = Flight::query()
        .group_by(|f| (f.origin, f.dest))
        .select(|g| g.count())
        .order_by(|g| g.count().desc())
        .limit(limit)
        .fetch(db)
        .await?;
    let codes: Vec<String> = routes.iter().flat_map(|((from, to), _)| [from.clone(), to.clone()]).collect();
    let airports = Airport::query().filter(|a| a.faa.one_of(codes)).fetch(db).await?;
    let names: HashMap<String, String> = airports.into_iter().map(|a| (a.faa, a.name)).collect();
    let rows = routes.into_iter().map(|((origin, destination), flights)| Route {
        from: names.get(&origin).cloned(),
        to: names.get(&destination).cloned(),
        origin,
        destination,
        flights,
    });
    Ok(rows.collect())
}

/// An hour at an airport.
#[derive(Debug, Serialize)]
pub struct WorstHour {
    /// When it began.
    pub time: String,
    /// The airport.
    pub airport: String,
    /// How many flights left in it.
    pub flights: u64,
    /// By how many minutes they left late, together.
    pub minutes_lost: i64,
    /// The weather, if it was measured.
    pub weather: Option<WeatherReport>,
}

/// The weather in an hour.
#[derive(Debug, Serialize)]
pub struct WeatherReport {
    /// Degrees Fahrenheit.
    pub temperature: Option<f64>,
    /// Percent.
    pub humidity: Option<f64>,
    /// Miles per hour.
    pub wind: Option<f64>,
    /// Miles per hour.
    pub gusts: Option<f64>,
    /// Inches.
    pub rain: f64,
    /// Miles.
    pub visibility: f64,
    /// Millibars.
    pub pressure: Option<f64>,
}

/// The hour in which most minutes were lost at one airport, and the weather there.
pub async fn worst_hour(db: &Db) -> debros::Result<Option<WorstHour>> {
    let hours = Flight::query()
        .filter(|f| f.dep_delay.is_some())
        .group_by(|f| (f.origin, f.time_hour))
        .select(|g| (g.count(), g.sum(|f| f.dep_delay)))
        .order_by(|g| g.sum(|f| f.dep_delay).desc())
        .limit(1)
        .fetch(db)
        .await?;
    let Some((hour, (flights, minutes_lost))) = hours.into_iter().next() else { return Ok(None) };
    let airport = Airport::get(&hour.0).fetch(db).await?;
    let weather = Weather::get(&hour).fetch(db).await?;
    Ok(Some(WorstHour {
        time: hour.1.to_string(),
        airport: airport.map_or(hour.0, |airport| airport.name),
        flights,
        minutes_lost,
        weather: weather.map(|weather| WeatherReport {
            temperature: weather.temp,
            humidity: weather.humid,
            wind: weather.wind_speed,
            gusts: weather.wind_gust,
            rain: weather.precip,
            visibility: weather.visib,
            pressure: weather.pressure,
        }),
    }))
}

/// A page of an airline's timetable.
#[derive(Debug, Serialize)]
pub struct CarrierPage {
    /// The airline's code.
    pub carrier: String,
    /// Its name, if there is such an airline.
    pub airline: Option<String>,
    /// The number of the page, from 1.
    pub page: usize,
    /// Its flights; none, if the timetable ends before this page.
    pub flights: Vec<TimetableFlight>,
}

/// A flight in a timetable.
#[derive(Debug, Serialize)]
pub struct TimetableFlight {
    /// When it was to leave, local time.
    pub scheduled: String,
    /// Its number.
    pub flight: String,
    /// From where, by its code.
    pub origin: String,
    /// Where to, if that airport is known.
    pub to: Option<String>,
    /// Where to, by its code.
    pub destination: String,
    /// The plane, if it was written down.
    pub tailnum: Option<String>,
    /// By how many minutes it left late, if it left.
    pub delay: Option<i64>,
}

/// A page of one airline's flights by time. A page continues after the last row of the one before it: nothing is counted off.
pub async fn carrier_page(db: &Db, carrier: &str, number: usize) -> debros::Result<CarrierPage> {
    let mut page = Flight::query()
        .filter(|f| f.carrier.eq(carrier))
        .with(|f| f.to)
        .order_by(|f| f.time_hour.asc())
        .order_by(|f| f.minute.asc())
        .page(PAGE)
        .fetch(db)
        .await?;
    let mut flights = Vec::new();
    for at in 1..=number {
        if at == number {
            flights = std::mem::take(&mut page.rows);
        } else if let Some(next) = page.next(db).await? {
            page = next;
        } else {
            break;
        }
    }
    let rows = flights.iter().map(|flight| TimetableFlight {
        scheduled: flight.scheduled(),
        flight: flight.code(),
        origin: flight.origin.clone(),
        to: flight.to().map(|airport| airport.name.clone()),
        destination: flight.dest.clone(),
        tailnum: flight.tailnum.clone(),
        delay: flight.dep_delay,
    });
    Ok(CarrierPage {
        carrier: carrier.to_owned(),
        airline: Airline::get(carrier).fetch(db).await?.map(|airline| airline.name),
        page: number,
        flights: rows.collect(),
    })
}
