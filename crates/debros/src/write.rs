//! Writing: one route for every operation, so that nothing gets around the hooks and rules of a model.
//!
//! The caller's task makes records, runs the hooks before a creation and checks the rules; a job of the writer, which runs alone, does
//! what depends on what is stored: read-modify-write, uniqueness, parents and children, signing. A job is one commit.

mod apply;
mod batch;
mod behaviour;
mod bulk;
mod changes;
mod create;
mod delete;
mod link;
mod operation;
mod update;
mod writing;

pub use batch::Batch;
pub use changes::{Change, Creation, Pending};
pub use create::Create;
pub use update::Update;
pub use writing::Writing;

pub(crate) use apply::{Applied, apply};
pub(crate) use bulk::{delete_all, update_all};
pub(crate) use changes::Changes;
pub(crate) use delete::delete;
pub(crate) use link::link_row;
pub(crate) use operation::{Done, LinkRow, Operation};
pub(crate) use update::Target;
