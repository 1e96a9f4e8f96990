//! Answers for people: tables.

use crate::answers::{Answers, WeatherReport};
use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;
use std::fmt;

/// One line under the header, and no others.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
/// What stands where nothing is known.
const UNKNOWN: &str = "unknown";

/// Prints answers as tables.
pub struct Report<'a>(pub &'a Answers);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self.0;
        let [all, cancelled] = [answers.flights, answers.cancelled].map(HumanCount);
        let left = HumanCount(answers.flights - answers.cancelled);
        writeln!(f, "{all} flights, of which {left} left and {cancelled} were cancelled")?;

        writeln!(f, "\nMean delay at departure, by airline (flights that left)")?;
        let mut table = table(&["airline", "", "flights", "minutes"], &[2, 3]);
        for row in &answers.carriers {
            let mean = row.mean_delay.map_or_else(|| UNKNOWN.to_owned(), |mean| format!("{mean:.1}"));
            table.add_row(cells(&[&row.carrier, &row.airline, &HumanCount(row.flights).to_string(), &mean]));
        }
        writeln!(f, "{}", table.trim_fmt())?;

        writeln!(f, "\nThe {} most delayed flights", answers.most_delayed.len())?;
        let mut table = self::table(&["delay", "was to leave", "flight", "airline", "plane", "from", "to"], &[0]);
        for row in &answers.most_delayed {
            table.add_row(cells(&[
                &duration(row.delay),
                &row.scheduled,
                &row.flight,
                &row.airline,
                row.plane.as_deref().unwrap_or(UNKNOWN),
                &row.from,
                &airport(row.to.as_deref(), &row.destination),
            ]));
        }
        writeln!(f, "{}", table.trim_fmt())?;

        let plane = &answers.plane;
        let what = plane.plane.as_deref().unwrap_or("a plane that is not in the register");
        writeln!(f, "\n{}, {what}: {} of its {} flights", plane.tailnum, plane.first.len(), plane.flights)?;
        let mut table = self::table(&["was to leave", "flight", "from", "to", "late"], &[4]);
        for row in &plane.first {
            table.add_row(cells(&[
                &row.scheduled,
                &row.flight,
                &row.origin,
                &airport(row.to.as_deref(), &row.destination),
                &late(row.delay),
            ]));
        }
        writeln!(f, "{}", table.trim_fmt())?;

        writeln!(f, "\nThe busiest routes")?;
        let mut table = self::table(&["from", "to", "flights"], &[2]);
        for row in &answers.busiest_routes {
            table.add_row(cells(&[
                &airport(row.from.as_deref(), &row.origin),
                &airport(row.to.as_deref(), &row.destination),
                &HumanCount(row.flights).to_string(),
            ]));
        }
        writeln!(f, "{}", table.trim_fmt())?;

        if let Some(hour) = &answers.worst_hour {
            writeln!(f, "\nThe hour in which most time was lost, and its weather")?;
            let mut table = Table::new();
            table.load_style(STYLE);
            table.add_row(cells(&["airport", &hour.airport]));
            table.add_row(cells(&["hour from", &hour.time]));
            table.add_row(cells(&["flights that left", &hour.flights.to_string()]));
            table.add_row(cells(&["late, together", &duration(hour.minutes_lost)]));
            for (name, value) in weather(hour.weather.as_ref()) {
                table.add_row(cells(&[name, &value]));
            }
            writeln!(f, "{}", table.trim_fmt())?;
        }

        let page = &answers.carrier_page;
        let airline = page.airline.as_deref().unwrap_or("an airline that is not in the table");
        writeln!(f, "\n{}, {airline}: page {} of its timetable", page.carrier, page.page)?;
        let mut table = self::table(&["was to leave", "flight", "from", "to", "plane", "late"], &[5]);
        for row in &page.flights {
            table.add_row(cells(&[
                &row.scheduled,
                &row.flight,
                &row.origin,
                &airport(row.to.as_deref(), &row.destination),
                row.tailnum.as_deref().unwrap_or(UNKNOWN),
                &late(row.delay),
            ]));
        }
        writeln!(f, "{}", table.trim_fmt())
    }
}

/// A table with these columns, some of them aligned to the right.
fn table(columns: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(columns.to_vec());
    for &at in right {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn cells(values: &[&str]) -> Vec<Cell> {
    values.iter().map(Cell::new).collect()
}

fn airport(name: Option<&str>, code: &str) -> String {
    format!("{code}, {}", name.unwrap_or(UNKNOWN))
}

/// `21 h 41 min`, or minutes alone.
fn duration(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {:02} min", minutes.abs()),
    }
}

fn late(delay: Option<i64>) -> String {
    delay.map_or_else(|| "cancelled".to_owned(), duration)
}

fn weather(report: Option<&WeatherReport>) -> Vec<(&'static str, String)> {
    let Some(report) = report else { return vec![("weather", UNKNOWN.to_owned())] };
    let value =
        |value: Option<f64>, unit: &str| value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.1} {unit}"));
    vec![
        ("temperature", value(report.temperature, "°F")),
        ("humidity", value(report.humidity, "%")),
        ("wind", value(report.wind, "mph")),
        ("gusts", value(report.gusts, "mph")),
        ("rain", format!("{:.2} inches", report.rain)),
        ("visibility", format!("{:.1} miles", report.visibility)),
        ("pressure", value(report.pressure, "mbar")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_read_as_people_say_them() {
        assert_eq!([1301, 59, -7, 60].map(duration), ["21 h 41 min", "59 min", "-7 min", "1 h 00 min"]);
        assert_eq!(late(None), "cancelled");
    }

    #[test]
    fn an_airport_without_a_name_is_unknown() {
        assert_eq!(airport(None, "SJU"), "SJU, unknown");
    }
}
