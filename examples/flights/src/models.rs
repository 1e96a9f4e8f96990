//! The five models, as the tables of nycflights13 have them.

use debros::prelude::*;

/// An airline.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Airline {
    /// Two letters or digits, as on a boarding pass.
    #[field(key, len = 2..=2)]
    pub carrier: String,
    /// Its name.
    pub name: String,
    /// What it flew.
    #[has_many]
    pub flights: HasMany<Flight>,
}

/// An airport of the United States.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Airport {
    /// The code of the Federal Aviation Administration.
    #[field(key, len = 3..=3)]
    pub faa: String,
    /// Its name.
    pub name: String,
    /// Degrees north.
    #[field(range = -90.0..=90.0)]
    pub lat: f64,
    /// Degrees east.
    #[field(range = -180.0..=180.0)]
    pub lon: f64,
    /// Feet above the sea.
    pub alt: i64,
    /// Hours from UTC in winter.
    #[field(range = -12..=14)]
    pub tz: i64,
    /// Daylight saving time: `A` as in the United States, `N` none, `U` unknown.
    pub dst: String,
    /// The time zone's name.
    pub tzone: Option<String>,
    /// Flights that left here.
    #[has_many(key = from)]
    pub departures: HasMany<Flight>,
    /// Flights that came here.
    #[has_many(key = to)]
    pub arrivals: HasMany<Flight>,
}

/// A plane.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Plane {
    /// What is painted on it.
    #[field(key, len = 1..=6)]
    pub tailnum: String,
    /// When it was built.
    #[field(range = 1903..)]
    pub year: Option<i64>,
    /// Fixed wing or rotorcraft.
    pub kind: String,
    /// Who built it.
    pub manufacturer: String,
    /// Its model.
    pub model: String,
    /// How many engines it has.
    pub engines: u8,
    /// How many seats it has.
    pub seats: u16,
    /// Its average cruising speed in miles per hour.
    pub speed: Option<u16>,
    /// What kind of engine it has.
    pub engine: String,
    /// What it flew.
    #[has_many]
    pub flights: HasMany<Flight>,
}

/// The weather at an airport of New York in one hour: two fields make the key.
#[model(scope = global, writers = anyone)]
#[derive(Debug, Clone)]
pub struct Weather {
    /// The airport.
    #[field(key)]
    pub origin: String,
    /// The hour's beginning.
    #[field(key)]
    pub time_hour: Timestamp,
    /// Degrees Fahrenheit.
    pub temp: Option<f64>,
    /// The dew point in degrees Fahrenheit.
    pub dewp: Option<f64>,
    /// Relative humidity in percent.
    #[field(range = 0.0..=100.0)]
    pub humid: Option<f64>,
    /// Where the wind came from, in degrees.
    #[field(range = 0..=360)]
    pub wind_dir: Option<u16>,
    /// Miles per hour.
    pub wind_speed: Option<f64>,
    /// Miles per hour.
    pub wind_gust: Option<f64>,
    /// Inches in the hour.
    pub precip: f64,
    /// Millibars at sea level.
    pub pressure: Option<f64>,
    /// Visibility in miles.
    pub visib: f64,
    /// The airport.
    #[belongs_to(key = origin)]
    pub airport: BelongsTo<Airport>,
    /// Flights that were to leave in this hour.
    #[has_many]
    pub flights: HasMany<Flight>,
}

/// A flight from New York. It is identified by the hour in which it was to leave, the airline and the number.
///
/// The data has gaps, and they are kept: a relation to a row that may be missing is a `BelongsTo<Option<..>>`.
#[model(scope = global, writers = anyone, index(carrier, time_hour, minute))]
#[derive(Debug, Clone)]
pub struct Flight {
    /// The hour in which it was to leave.
    #[field(key)]
    pub time_hour: Timestamp,
    /// The airline.
    #[field(key)]
    pub carrier: String,
    /// The airline's number for it.
    #[field(key)]
    pub number: u16,
    /// The local date on which it was to leave.
    pub year: u16,
    /// The month of that date.
    #[field(range = 1..=12)]
    pub month: u8,
    /// The day of that date.
    #[field(range = 1..=31)]
    pub day: u8,
    /// The hour in which it was to leave, local time.
    #[field(range = 0..=23)]
    pub hour: u8,
    /// The minute in which it was to leave.
    #[field(range = 0..=59)]
    pub minute: u8,
    /// When it was to leave: hours times 100 plus minutes, local time.
    pub sched_dep_time: u16,
    /// When it left; absent, if it was cancelled.
    pub dep_time: Option<u16>,
    /// By how many minutes it left late; negative, if it left early.
    #[field(index)]
    pub dep_delay: Option<i64>,
    /// When it was to arrive.
    pub sched_arr_time: u16,
    /// When it arrived.
    pub arr_time: Option<u16>,
    /// By how many minutes it arrived late.
    pub arr_delay: Option<i64>,
    /// The plane; for some flights nobody wrote it down.
    pub tailnum: Option<String>,
    /// From where: one of New York's three airports.
    pub origin: String,
    /// Where to.
    pub dest: String,
    /// Minutes in the air.
    pub air_time: Option<u16>,
    /// Miles.
    pub distance: u16,
    /// Who flew it.
    #[belongs_to(key = carrier)]
    pub airline: BelongsTo<Airline>,
    /// With what: not every plane is in the register.
    #[belongs_to(key = tailnum)]
    pub plane: BelongsTo<Option<Plane>>,
    /// The weather when it was to leave, if it was measured.
    #[belongs_to(key = (origin, time_hour))]
    pub weather: BelongsTo<Option<Weather>>,
    /// From where.
    #[belongs_to(key = origin)]
    pub from: BelongsTo<Airport>,
    /// Where to: some airports are not in the table.
    #[belongs_to(key = dest)]
    pub to: BelongsTo<Option<Airport>>,
}

impl Flight {
    /// As on a boarding pass: `UA 1545`.
    pub fn code(&self) -> String {
        format!("{} {}", self.carrier, self.number)
    }

    /// When it was to leave, local time: `2013-01-01 05:15`.
    pub fn scheduled(&self) -> String {
        format!("{}-{:02}-{:02} {:02}:{:02}", self.year, self.month, self.day, self.hour, self.minute)
    }
}

impl Plane {
    /// What it is: `BOEING 737-824 of 1999`.
    pub fn title(&self) -> String {
        let built = self.year.map(|year| format!(" of {year}")).unwrap_or_default();
        format!("{} {}{built}", self.manufacturer, self.model)
    }
}
