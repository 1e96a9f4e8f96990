//! The book, tested: what stands in `docs/` and in the README is compiled, run and compared with what it prints.
//!
//! A page is one program. Its ```` ```rust ```` blocks follow each other, as a reader meets them: a later block uses what an
//! earlier one made. A page whose blocks hold a `fn main` is a program as it stands; any other is the body of an `async fn`
//! whose errors end the test. A block of three backticks and the word `output` is what the blocks before it print.
//! The build script makes a test of each page; in a compile error the line is the line in the page.

mod markdown;
mod snapshot;

pub use markdown::{Block, Link, anchors, blocks, links};
pub use snapshot::Snapshot;
