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
    /// Its writer may not put it there, so the key holds what it held before. Otherwise the key holds it, and it is no
    /// row. Of each key the last refused entry is listed.
    pub refused: bool,
    /// What is wrong.
    pub reason: String,
}
