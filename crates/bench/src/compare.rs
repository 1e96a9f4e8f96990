//! What 200 models of 8 fields cost the compiler, beside the same 200 in Toasty, SeaORM and Diesel.
//!
//! The crates are made in a temporary folder and belong to no workspace, so nothing of the peers gets into this one. They
//! are as alike as the libraries let them be: the fields of [`models::source`], with each library's own type for a
//! moment, and a relation of a model to the one before it. No driver is named, as the models need none.
//!
//! The memory is that of the compiler at work on the crate of the models: cargo is told to start this program in place of
//! `rustc`, see [`wrap`].

use crate::{Outcome, machine, models};
use nix::sys::resource::{UsageWho, getrusage};
use std::{
    ffi::OsString,
    fmt::{Error, Write as _},
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

/// Where the program writes how much memory the compiler had, when it was started in the compiler's place.
pub(crate) const PEAK: &str = "DEBROS_BENCH_PEAK";

const ROUNDS: usize = 3;

/// Runs the compiler, whose program is the first argument, and writes down the most memory that it had.
pub(crate) fn wrap(peak: &Path) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next().ok_or("no compiler to run")?;
    let arguments: Vec<OsString> = arguments.collect();
    let status = Command::new(rustc).args(&arguments).status()?;
    if arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == models::CRATE) {
        // in kibibytes, of the largest child; there was one
        fs::write(peak, getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss().to_string())?;
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

struct Library {
    name: &'static str,
    package: &'static str,
    /// The lines of Cargo.toml.
    dependencies: String,
    source: String,
}

/// The medians of some checks.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    mib: f64,
}

struct Row {
    name: String,
    fresh: Cost,
    touched: Cost,
}

pub(crate) fn run() -> Outcome {
    let debros = models::debros()?;
    let libraries = [
        Library {
            name: "debros",
            package: "debros",
            dependencies: format!("debros = {{ path = {debros:?} }}"),
            source: models::source()?,
        },
        Library {
            name: "Toasty",
            package: "toasty",
            dependencies: "jiff = \"0.2\"\ntoasty = { version = \"0.11\", features = [\"jiff\"] }".to_owned(),
            source: toasty()?,
        },
        Library {
            name: "SeaORM, `#[sea_orm::model]`",
            package: "sea-orm",
            dependencies: "sea-orm = \"2\"".to_owned(),
            source: sea_orm(true)?,
        },
        Library {
            name: "SeaORM, `enum Relation`",
            package: "sea-orm",
            dependencies: "sea-orm = \"2\"".to_owned(),
            source: sea_orm(false)?,
        },
        Library {
            name: "Diesel",
            package: "diesel",
            dependencies: "chrono = { version = \"0.4\", default-features = false }\ndiesel = { version = \"2\", features = [\"chrono\"] }".to_owned(),
            source: diesel()?,
        },
    ];
    let folder = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for library in &libraries {
        let place = folder.path().join(library.package);
        fs::create_dir_all(place.join("src"))?;
        fs::write(place.join("Cargo.toml"), models::manifest(&library.dependencies))?;
        if library.package == "debros" {
            fs::copy(debros.join("../../Cargo.lock"), place.join("Cargo.lock"))?;
        }
        rows.push(measure(library, place)?);
    }

    println!(
        "{} models of 8 fields, `cargo check` of their crate alone, median of {ROUNDS}; {}",
        models::MODELS,
        String::from_utf8_lossy(&Command::new("rustc").arg("--version").output()?.stdout).trim()
    );
    println!("\n| | from nothing | rustc's peak memory | after a touch | rustc's peak memory |\n|---|---|---|---|---|");
    for row in &rows {
        let Row { name, fresh, touched } = row;
        println!(
            "| {name} | {:.2} s | {:.0} MiB | {:.2} s | {:.0} MiB |",
            fresh.seconds, fresh.mib, touched.seconds, touched.mib
        );
    }
    let ratio = |of: fn(&Row) -> f64| {
        let best = rows.iter().skip(1).map(of).fold(f64::INFINITY, f64::min);
        rows.first().map_or(f64::NAN, of) / best
    };
    println!(
        "| debros to the best other | {:.2} | {:.2} | {:.2} | {:.2} |\n\nThe goal is 0.20.",
        ratio(|row| row.fresh.seconds),
        ratio(|row| row.fresh.mib),
        ratio(|row| row.touched.seconds),
        ratio(|row| row.touched.mib)
    );
    Ok(())
}

fn measure(library: &Library, place: PathBuf) -> Result<Row, Box<dyn std::error::Error>> {
    let lib = place.join("src/lib.rs");
    let peak = place.join("peak");
    let program = std::env::current_exe()?;
    let cargo = |arguments: &[&str]| -> Result<f64, Box<dyn std::error::Error>> {
        let begin = Instant::now();
        let status = Command::new("cargo")
            .args(arguments)
            .current_dir(&place)
            .env("RUSTC_WRAPPER", &program)
            .env(PEAK, &peak)
            .env("CARGO_TARGET_DIR", place.join("target"))
            // as cargo does by default
            .env_remove("CARGO_INCREMENTAL")
            .status()?;
        if status.success() {
            Ok(begin.elapsed().as_secs_f64())
        } else {
            Err(format!("`cargo {}` failed for {}", arguments.join(" "), library.name).into())
        }
    };
    let check = || -> Result<Cost, Box<dyn std::error::Error>> {
        let seconds = cargo(&["check", "--quiet", "--offline"])?;
        let kib: u64 = fs::read_to_string(&peak)?.parse()?;
        fs::remove_file(&peak)?;
        Ok(Cost { seconds, mib: machine::mib(kib * 1024) })
    };
    fs::write(&lib, &library.source)?;
    cargo(&["fetch", "--quiet"])?;
    let cold = check()?;
    let mut fresh = Vec::new();
    for _ in 0..ROUNDS {
        cargo(&["clean", "--quiet", "--offline", "--package", models::CRATE])?;
        fresh.push(check()?);
    }
    let mut touched = Vec::new();
    for round in 0..ROUNDS {
        fs::write(&lib, format!("{}// {round}\n", library.source))?;
        touched.push(check()?);
    }
    let version = locked(&place, library.package)?;
    println!("{} {version}: with everything below the models {:.0} s", library.name, cold.seconds);
    Ok(Row { name: format!("{} {version}", library.name), fresh: median(&fresh), touched: median(&touched) })
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |of: fn(&Cost) -> f64| {
        let mut values: Vec<f64> = costs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Cost { seconds: middle(|cost| cost.seconds), mib: middle(|cost| cost.mib) }
}

/// The version of a package in the Cargo.lock of a folder.
fn locked(place: &Path, package: &str) -> io::Result<String> {
    let lock = fs::read_to_string(place.join("Cargo.lock"))?;
    let entry = lock.split_once(&format!("name = \"{package}\"\nversion = \"")).map(|(_, rest)| rest);
    let version = entry.and_then(|rest| rest.split('"').next());
    version.map(str::to_owned).ok_or_else(|| io::Error::other(format!("Cargo.lock has no {package}")))
}

fn toasty() -> Result<String, Error> {
    let mut source = String::from("//! Many models.\n");
    for n in 0..models::MODELS {
        let relation = match models::parent(n) {
            Some(p) => format!(
                "    #[belongs_to(key = parent_id, references = id)] pub parent: toasty::Deferred<Option<M{p}>>,\n"
            ),
            None => String::new(),
        };
        write!(
            source,
            "/// A model.\n#[derive(Debug, Clone, toasty::Model)]\npub struct M{n} {{\n    #[key] #[auto] pub id: u64,\n    pub parent_id: Option<u64>,\n    \
             #[unique] pub name: String,\n    pub bio: Option<String>,\n    #[index] #[default(false)] pub live: bool,\n    \
             #[default(0)] pub score: i64,\n    pub ratio: f64,\n    #[default(jiff::Timestamp::now())] pub at: jiff::Timestamp,\n{relation}}}\n"
        )?;
    }
    source.push_str("/// All of them.\npub fn all() -> toasty::ModelSet { toasty::models!(crate::*) }\n");
    Ok(source)
}

/// With the relation among the fields, as SeaORM 2 recommends, or in an `enum` beside them, as SeaORM 1 has it.
fn sea_orm(relation_is_a_field: bool) -> Result<String, Error> {
    let mut source = String::from("//! Many models.\n");
    for n in 0..models::MODELS {
        let (attribute, field, beside) = match (models::parent(n), relation_is_a_field) {
            (Some(p), true) => (
                "    #[sea_orm::model]\n",
                format!(
                    "        #[sea_orm(belongs_to, from = \"parent_id\", to = \"id\")] pub parent: BelongsTo<Option<super::m{p}::Entity>>,\n"
                ),
                String::new(),
            ),
            (None, true) => ("    #[sea_orm::model]\n", String::new(), String::new()),
            (Some(p), false) => (
                "",
                String::new(),
                format!(
                    "    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]\n    pub enum Relation {{\n        \
                     #[sea_orm(belongs_to = \"super::m{p}::Entity\", from = \"Column::ParentId\", to = \"super::m{p}::Column::Id\")] Parent,\n    }}\n    \
                     impl Related<super::m{p}::Entity> for Entity {{ fn to() -> RelationDef {{ Relation::Parent.def() }} }}\n"
                ),
            ),
            (None, false) => (
                "",
                String::new(),
                "    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]\n    pub enum Relation {}\n".to_owned(),
            ),
        };
        write!(
            source,
            "/// A model.\npub mod m{n} {{\n    use sea_orm::entity::prelude::*;\n{attribute}    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]\n    \
             #[sea_orm(table_name = \"m{n}\")]\n    pub struct Model {{\n        #[sea_orm(primary_key)] pub id: i64,\n        pub parent_id: Option<i64>,\n        \
             #[sea_orm(unique)] pub name: String,\n        pub bio: Option<String>,\n        #[sea_orm(indexed, default_value = false)] pub live: bool,\n        \
             #[sea_orm(default_value = 0)] pub score: i64,\n        pub ratio: f64,\n        pub at: DateTimeUtc,\n{field}    }}\n{beside}    \
             impl ActiveModelBehavior for ActiveModel {{}}\n}}\n"
        )?;
    }
    Ok(source)
}

/// Without `allow_tables_to_appear_in_same_query!`, which would write something for each pair of tables.
fn diesel() -> Result<String, Error> {
    let mut source = String::from("//! Many models.\nuse diesel::prelude::*;\n");
    for n in 0..models::MODELS {
        let (derive, relation) = match models::parent(n) {
            Some(p) => (", Associations", format!(", belongs_to(M{p}, foreign_key = parent_id)")),
            None => ("", String::new()),
        };
        write!(
            source,
            "diesel::table! {{\n    m{n} (id) {{\n        id -> BigInt,\n        parent_id -> Nullable<BigInt>,\n        name -> Text,\n        bio -> Nullable<Text>,\n        \
             live -> Bool,\n        score -> BigInt,\n        ratio -> Double,\n        at -> Timestamp,\n    }}\n}}\n/// A model.\n\
             #[derive(Debug, Clone, Queryable, Insertable, Identifiable{derive})]\n#[diesel(table_name = m{n}{relation})]\npub struct M{n} {{\n    \
             pub id: i64,\n    pub parent_id: Option<i64>,\n    pub name: String,\n    pub bio: Option<String>,\n    pub live: bool,\n    pub score: i64,\n    \
             pub ratio: f64,\n    pub at: chrono::NaiveDateTime,\n}}\n"
        )?;
    }
    Ok(source)
}
