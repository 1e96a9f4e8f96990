//! The program itself: it imports the first week, answers, is killed, goes on. What it should answer is computed here from the
//! same files, line by line, without debros.

use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::{BufRead as _, BufReader, Cursor, Read as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

type Line = HashMap<String, String>;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

/// The rows of a table, unzipped if need be.
fn lines(name: &str) -> Vec<Line> {
    let mut bytes = fs::read(data(name)).expect("the data");
    if name.ends_with(".zip") {
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        bytes = Vec::new();
        zip.by_index(0).expect("one file").read_to_end(&mut bytes).expect("it can be read");
    }
    csv::Reader::from_reader(bytes.as_slice()).deserialize().collect::<Result<_, _>>().expect("rows")
}

fn flights(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flights"));
    command.arg("--data").arg(data).args(arguments).stdin(Stdio::null());
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    flights(data, arguments).output().expect("it starts")
}

fn answers(data: &Path) -> (Value, String) {
    let output = run(data, &["--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (serde_json::from_slice(&output.stdout).expect("JSON"), said)
}

fn delay(line: &Line) -> Option<i64> {
    line["dep_delay"].parse().ok()
}

fn code(line: &Line) -> String {
    format!("{} {}", line["carrier"], line["flight"])
}

/// The flights of a list that the program said.
fn codes(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row["flight"].as_str().expect("a text").to_owned()).collect()
}

/// What the program should say, from the files.
fn check(said: &Value) {
    let week = lines("flights-week1.csv.zip");
    let names: HashMap<String, String> =
        lines("airports.csv").into_iter().map(|line| (line["faa"].clone(), line["name"].clone())).collect();
    let planes: HashMap<String, Line> =
        lines("planes.csv").into_iter().map(|line| (line["tailnum"].clone(), line)).collect();
    let name = |code: &String| names.get(code).map_or(Value::Null, |name| name.as_str().into());

    assert_eq!(said["flights"], week.len());
    assert_eq!(said["flights"], 6_099);
    assert_eq!(said["cancelled"], week.iter().filter(|line| delay(line).is_none()).count());

    // the means, without the cancelled flights
    let mut carriers: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for line in &week {
        if let Some(delay) = delay(line) {
            let (count, sum) = carriers.entry(line["carrier"].clone()).or_default();
            (*count, *sum) = (*count + 1, *sum + delay);
        }
    }
    let rows = said["carriers"].as_array().expect("rows");
    assert_eq!(rows.len(), carriers.len());
    let mut last = f64::INFINITY;
    for row in rows {
        let (count, sum) = carriers[row["carrier"].as_str().expect("a text")];
        let mean = row["mean_delay"].as_f64().expect("a number");
        assert_eq!(row["flights"], count);
        assert!((mean - sum as f64 / count as f64).abs() < 1e-9, "{row}");
        assert!(mean <= last, "the largest comes first: {row}");
        last = mean;
    }
    let united = rows.iter().find(|row| row["carrier"] == "UA").expect("it flew");
    assert_eq!(united["airline"], "United Air Lines Inc.");

    // the most delayed, with gaps
    let mut delays: Vec<i64> = week.iter().filter_map(delay).collect();
    delays.sort_by(|a, b| b.cmp(a));
    let rows = said["most_delayed"].as_array().expect("rows");
    let found: Vec<i64> = rows.iter().map(|row| row["delay"].as_i64().expect("a number")).collect();
    assert_eq!(found, delays[..20]);
    for row in rows {
        let line = week
            .iter()
            .find(|line| Some(row["delay"].as_i64().expect("a number")) == delay(line) && row["flight"] == code(line));
        let line = line.expect("a flight of that number left so late");
        assert_eq!(row["to"], name(&line["dest"]));
        assert_eq!(row["from"], name(&line["origin"]));
        match planes.get(&line["tailnum"]) {
            Some(plane) => assert!(row["plane"].as_str().expect("a text").contains(&plane["model"]), "{row}"),
            None => assert!(row["plane"].is_null(), "{row}"),
        }
    }
    assert!(rows.iter().any(|row| row["plane"].is_null()), "some of these planes are not in the register");

    // one plane
    let mut of_plane: Vec<&Line> = week.iter().filter(|line| line["tailnum"] == "N14542").collect();
    of_plane.sort_by_key(|line| (line["time_hour"].clone(), line["minute"].parse::<u8>().expect("a number")));
    assert_eq!(said["plane"]["flights"], of_plane.len());
    assert_eq!(codes(&said["plane"]["first"]), of_plane.iter().map(|line| code(line)).take(20).collect::<Vec<_>>());

    // routes
    let mut routes: BTreeMap<(String, String), i64> = BTreeMap::new();
    for line in &week {
        *routes.entry((line["origin"].clone(), line["dest"].clone())).or_default() += 1;
    }
    let mut counts: Vec<i64> = routes.values().copied().collect();
    counts.sort_by(|a, b| b.cmp(a));
    let rows = said["busiest_routes"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|row| row["flights"].as_i64().expect("a number")).collect::<Vec<_>>(), counts[..10]);
    for row in rows {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        assert_eq!(row["flights"], routes[&(text("origin"), text("destination"))]);
        assert_eq!(row["to"], name(&text("destination")));
    }

    // the worst hour
    let mut hours: BTreeMap<(String, String), i64> = BTreeMap::new();
    for line in &week {
        *hours.entry((line["origin"].clone(), line["time_hour"].clone())).or_default() += delay(line).unwrap_or(0);
    }
    let ((origin, time), lost) = hours.iter().max_by_key(|(_, lost)| **lost).expect("an hour");
    assert_eq!(said["worst_hour"]["minutes_lost"], *lost);
    assert_eq!(said["worst_hour"]["airport"], name(origin));
    let weather = lines("weather.csv.zip");
    let hour = weather.iter().find(|line| line["origin"] == *origin && line["time_hour"] == *time).expect("measured");
    let temperature = said["worst_hour"]["weather"]["temperature"].as_f64().expect("a number");
    assert_eq!(temperature, hour["temp"].parse::<f64>().expect("a number"));

    // page three of a timetable
    let mut united: Vec<&Line> = week.iter().filter(|line| line["carrier"] == "UA").collect();
    united.sort_by_key(|line| {
        let number = |name: &str| line[name].parse::<u32>().expect("a number");
        // rows that tie are ordered by key, which is text
        (line["time_hour"].clone(), number("minute"), line["flight"].clone() + "]")
    });
    assert_eq!(
        codes(&said["carrier_page"]["flights"]),
        united[30..45].iter().map(|line| code(line)).collect::<Vec<_>>()
    );
}

#[test]
fn the_first_week_is_imported_once_and_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, said) = answers(folder.path());
    assert!(said.contains("6,099 flights imported"), "{said}");
    check(&first);

    let (second, said) = answers(folder.path());
    assert_eq!(first, second);
    assert!(!said.contains("imported"), "the second run imports nothing: {said}");

    let output = run(folder.path(), &[]);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success());
    for text in ["6,099 flights", "United Air Lines Inc.", "unknown", "page 3 of its timetable"] {
        assert!(table.contains(text), "{text} is missing in\n{table}");
    }
}

#[test]
fn an_import_that_was_killed_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = flights(folder.path(), &["--format", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // when the weather is there, flights follow; some of them are to be written, too
    let said = BufReader::new(child.stderr.take().expect("its output")).lines();
    let reached = said.map_while(Result::ok).any(|line| line.contains("hours of weather imported"));
    assert!(reached, "the weather comes before the flights");
    let before = size(folder.path());
    while size(folder.path()) < before + 1_000_000 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended before it could be killed");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("it runs");
    assert!(!child.wait().expect("a child").success(), "it was killed");

    let (after, said) = answers(folder.path());
    assert!(said.contains("flights are here already, going on after them"), "{said}");
    check(&after);
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn a_row_that_does_not_parse_is_named_and_what_came_before_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("some.csv");
    let header = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour\n";
    let row = |flight: usize, delay: &str| {
        format!("2013,1,1,517,515,{delay},830,819,11,UA,{flight},N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n")
    };
    let mut text = header.to_owned();
    text.extend((1..=1_200).map(|flight| row(flight, "2")));
    let good = text.clone() + &row(1_201, "3");
    text += &row(1_201, "late");
    fs::write(&file, text).expect("it can be written");
    let data = folder.path().join("data");
    let full = file.to_str().expect("a text");

    let output = run(&data, &["--full", full]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("some.csv, line 1202: `dep_delay` is `late`"), "{said}");

    fs::write(&file, good).expect("it can be written");
    let output = run(&data, &["--full", full, "--format", "json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1,000 flights are here already"), "{said}");
    let answers: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answers["flights"], 1_201);

    // the week is not what is stored there
    let output = run(&data, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("--data"), "{said}");
}

#[test]
fn a_missing_file_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["--full", "no-such-file.csv"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("no-such-file.csv cannot be read"), "{said}");
}

#[test]
fn a_file_without_rows_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("none.csv");
    for text in ["", "month,day\n"] {
        fs::write(&file, text).expect("it can be written");
        let output = run(&folder.path().join("data"), &["--full", file.to_str().expect("a text")]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("none.csv has no rows"), "{said}");
    }
}
