//! The store as its users see it: commits, snapshots, lifecycle, crashes, damage.
#![allow(clippy::unwrap_used)]

mod committed_groups;
mod crash;
mod damage;
mod folder_reader;
mod groups;
mod ledger;
mod lifecycle;
mod lost_writes;
mod poison;
mod rewriting;
mod state;
