//! Nodes that replicate with each other, over the loopback interface.

#![cfg(feature = "network")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod acceptance;
#[path = "../vectors/closed.rs"]
mod closed;
mod convergence;
mod hostile;
mod support;
