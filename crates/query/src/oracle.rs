//! What queries are tested with: an in-memory [`Source`](crate::Source) and [`Resolver`](crate::Resolver), a handle
//! over them, a naive oracle that knows nothing of plans and indexes, and generators of schemas, data and queries.
//!
//! A [`Case`] is a schema, rows and one query. [`cases`] generates them; [`Case::disagreement`] compares what somebody
//! answered with what the oracle says. To test another engine: make its databases from [`Case::tables`] and
//! [`Case::rows`], let it execute [`Case::spec`] with [`Case::end`] on behalf of [`Case::me`], and ask for the
//! disagreement.
//!
//! All of this is for tests: models made here live as long as the program.

pub mod blog;
mod case;
mod columns;
mod expected;
mod generate;
mod memory;
mod memory_resolver;
mod memory_source;
mod naive;

pub use case::{Case, CaseRow, user};
pub use columns::{Columns, model, with_indexes};
pub use expected::Expected;
pub use generate::{Change, Walk, cases, walks};
pub use memory::Memory;
pub use memory_resolver::MemoryResolver;
pub use memory_source::{MemorySource, ReadCounts};
