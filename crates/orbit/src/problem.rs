//! [`Problem`]: what a database holds and does not serve.

use crate::DatabaseId;
use debros_ipfs::Position;

/// Something in the log of a database that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which database.
    pub database: DatabaseId,
    /// The encoded key.
    pub key: Vec<u8>,
    /// Where the entry lies.
    pub position: Position,
    /// The id of the user who wrote it.
    pub author: String,
    /// What it is to the key.
    pub kind: ProblemKind,
    /// What is wrong.
    pub reason: String,
}

/// What a [`Problem`] is to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The key holds it, and it is no row.
    Held,
    /// Its writer may not put it there, so the key holds what it held before. Of each key the last refused entry is listed.
    Refused,
    /// An event with the key of another, which comes first.
    Duplicate,
}
