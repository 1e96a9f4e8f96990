//! Runs many courses of the simulation, or one and tells what happens in it: `cargo xtask sim`.
//!
//! ```text
//! simulate SEEDS [FIRST [STEPS]]
//! ```

use debros_orbit::simulation::{Course, Search};
use std::{
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(seeds)), Ok(first), Ok(steps)) =
        (numbers.next(), numbers.next().unwrap_or(Ok(0)), numbers.next().transpose())
    else {
        eprintln!("simulate SEEDS [FIRST [STEPS]]");
        return ExitCode::from(2);
    };
    // all that it costs is disk
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = match folder {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("no folder could be made: {error}");
            return ExitCode::FAILURE;
        }
    };
    if seeds == 1 {
        return match (Course { seed: first, steps }).run(folder.path(), true) {
            Ok(ended) => {
                ended.trace.iter().for_each(|line| println!("{line}"));
                println!("{} peers, {} answered writes: all well", ended.peers, ended.answered);
                ExitCode::SUCCESS
            }
            Err(failure) => {
                println!("{failure}");
                ExitCode::FAILURE
            }
        };
    }
    let mut search = Search::new(first..first.saturating_add(seeds), folder.path());
    search.steps = steps;
    let (begun, done, peers, answered) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let found = search.run(|ended| {
        peers.fetch_add(ended.peers as u64, Ordering::Relaxed);
        answered.fetch_add(ended.answered as u64, Ordering::Relaxed);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done % 1000 == 0 {
            println!("{done} seeds after {} s", begun.elapsed().as_secs());
        }
    });
    match found {
        Ok(()) => {
            let [peers, answered] = [peers, answered].map(AtomicU64::into_inner);
            let seconds = begun.elapsed().as_secs_f64();
            println!("{seeds} seeds, {peers} peers, {answered} answered writes: all well, in {seconds:.1} s");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            println!("again: cargo xtask sim --seed {} --steps {}", failure.course.seed, failure.course.steps());
            ExitCode::FAILURE
        }
    }
}
