//! A child process works on a data folder and is killed with SIGKILL: at random moments, and before and after each step
//! that the store takes on the disk. After each kill everything that was answered is there, what was not is whole or
//! absent, `verify` is clean, and the folder holds nothing that nobody needs.
//!
//! `DEBROS_CRASH_RUNS` sets how often (200), `DEBROS_CRASH_SEED` repeats a run's choices.

mod child;
mod drops;
mod joins;
mod models;
mod moment;
mod others;
mod random;
mod tidy;

/// How often a child is killed.
fn kills() -> u64 {
    std::env::var("DEBROS_CRASH_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}
