//! Stands in for the crate `core2`, whose every release was withdrawn (RUSTSEC-2026-0105): `ipfs-api-prelude` 0.6 still asks for
//! it, by way of `multihash` 0.17. What they use of it is in the standard library.

pub use std::{error, io};
