//! Relations: loading them with the rows of a query, predicates through them, links, and what a row is required by.
//!
//! A [`Loader`] answers what a query asks about relations, on one snapshot and for one user: it is the
//! [`Resolver`](debros_query::Resolver) that an executor is given.
//!
//! # Which rows a relation leads to
//!
//! **References.** A field that holds a key means one row. A row of a global model is meant by every reference to its key. A row of a
//! user-scoped model whose id commits to the owner of its store is meant by every reference, too. Any other row of a
//! user-scoped model (one with a natural key, or one that another program wrote) is meant only by references that stand in its own
//! store. So nobody can slip a row of theirs under a reference of somebody else's.
//!
//! **Children.** `has_many` and `has_one` lead to the rows whose reference means the parent. Where several rows name the
//! parent of a `has_one`, it is the first in the order asked for, then by key.
//!
//! **Links.** A link stands in the store of the user who made it. It counts if that user owns one of its ends; where both ends are
//! rows of global models, if that user may write the side without `inverse`: anyone, an admin, or, with `writers = owner`,
//! the user to whom the id of the row on that side commits. A pair that several users linked shows once.
//!
//! **Whose stores.** Relations read every store held here; with `.mine()` nothing but the asking user's own stores, those
//! of links among them, and the global ones.

mod belongs_to;
mod children;
mod commitment;
mod edge;
mod few;
mod include;
mod link_table;
mod links;
mod loader;
mod memo;
mod narrow;
mod predicate;
mod reached;
mod reference;
mod requiring;

pub use link_table::{LinkTable, Side};
pub use loader::Loader;
pub use requiring::Requiring;
