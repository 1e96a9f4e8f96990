//! Fetching what entries wait for.

mod block_source;
mod fetcher;
mod schedule;

pub use block_source::{BlockSource, Fetching};
pub use fetcher::Fetcher;
