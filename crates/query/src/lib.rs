//! Queries of debros: typed builders ([`Query`], [`Get`]), the planner, and the executor ([`Executor`]), which answers
//! a query as data ([`QuerySpec`]) from one snapshot of the databases ([`Source`]).
//!
//! This crate knows no store and no network. A handle implements [`Execute`]: it opens a snapshot as a [`Source`], adds
//! a [`Resolver`], which knows relations, and lets an [`Executor`] run. Applications depend on `debros`, which
//! re-exports what they need from here.

mod aggregate;
mod answer;
mod completeness;
mod coverage;
mod cursor;
mod database_id;
mod evaluate;
mod executor;
mod explained;
mod get;
mod grouped;
mod handle;
mod keys;
mod number;
#[cfg(feature = "oracle")]
pub mod oracle;
mod outcome;
mod page;
mod plan;
mod predicate;
mod query;
mod query_error;
mod query_spec;
mod registry;
mod related;
mod resolver;
mod select;
mod source;
mod update_all;

pub use aggregate::Aggregate;
pub use answer::Answer;
pub use completeness::{Completeness, InPart, Partial, Whole};
pub use coverage::Coverage;
pub use cursor::Cursor;
pub use database_id::DatabaseId;
pub use executor::Executor;
pub use explained::{Explained, IndexUse, Lookup, Sorting};
pub use get::Get;
pub use grouped::{Grouped, Selected};
pub use handle::{Execute, Reads, Writes};
pub use keys::{GroupKeys, Keys};
pub use number::{Extreme, Number};
pub use outcome::{Answered, GroupRow, Outcome, RawPage};
pub use page::{Page, Paged};
pub use plan::Order;
pub use query::{HasOrder, Query, Sorted, Unsorted};
pub use query_error::QueryError;
pub use query_spec::{End, GroupOrder, GroupSpec, QuerySpec, Start};
pub use registry::Registry;
pub use related::Related;
pub use resolver::{Found, FoundRows, Reached, RelatedExpr, Resolver};
pub use select::{Aggregates, Sel, Select};
pub use source::{KeyRange, Reach, RowRef, RowRefs, Source, SourceError, encode_key, successor};
pub use update_all::UpdateAll;
