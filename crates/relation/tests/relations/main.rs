//! Relations over an in-memory source: examples of every rule, and a comparison with nested loops.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attach;
mod batches;
mod links;
mod memory;
mod models;
mod naive;
mod predicates;
mod property;
mod reached;
mod references;
mod requiring;
