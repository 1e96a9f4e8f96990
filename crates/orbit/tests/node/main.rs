//! A node on a real data folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod convergence;
mod devices;
mod documents;
mod dropping;
mod encryption;
mod feed;
mod fetching;
mod holds;
mod hostile;
mod inspection;
mod joins;
mod keyed_events;
mod last_events;
mod machine;
mod problems;
mod reclaiming;
mod reopen;
mod scans;
mod support;
