//! Replication with real JavaScript OrbitDB peers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod addresses;
mod both_write;
mod large;
mod ours;
mod reconnect;
mod users;
