//! [`Execute`], [`Reads`] and [`Writes`]: what queries need of a handle.

use crate::{Answer, End, Outcome, QueryError, QuerySpec};
use debros_core::{Changeable, Value};

/// A handle: it says who asks, and executes queries. A cheap clone.
pub trait Execute: Clone + Send + Sync + 'static {
    /// Executes a query. Nothing happens before the answer is polled.
    fn execute(&self, spec: QuerySpec, end: End) -> Answer<Outcome>;
}

/// Handles that can read what a query reads: [`World`](debros_core::World), or [`PerUser`](debros_core::PerUser), the
/// databases of the one user whom the handle speaks for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot read a user-scoped model",
    label = "not bound to a user",
    note = "use `db.session(&identity)` for your own data, `db.view(user)` for someone else's, or `.everywhere()` for all that is held here"
)]
pub trait Reads<Reach>: Execute {}

/// Handles that write what a query finds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot write",
    label = "only a session writes: `db.session(&identity)`"
)]
pub trait Writes: Execute {
    /// Why a write was refused.
    type Error: From<QueryError> + Send + 'static;

    /// Sets fields of every row of `M` that a query finds, all or none of them, and says how many rows that were. The
    /// values are in stored form, by the names of their fields.
    fn update_all<M: Changeable>(&self, spec: QuerySpec, set: Vec<(&'static str, Value)>) -> Answer<u64, Self::Error>;

    /// Deletes every row that a query finds, all or none of them, and says how many rows that were.
    fn delete_all<M: Changeable>(&self, spec: QuerySpec) -> Answer<u64, Self::Error>;
}
