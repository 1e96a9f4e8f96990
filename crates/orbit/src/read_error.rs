//! [`ReadError`]: why a database could not be read.

use crate::{DatabaseId, UnknownBound, state::StateError};
use debros_ipfs::StoreError;

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The local store failed, or was closed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such database here.
    #[error("there is no database {0} on this node; open it first")]
    NoDatabase(DatabaseId),
    /// A range of events that begins or ends with an entry that the log does not have.
    #[error(transparent)]
    UnknownBound(UnknownBound),
    /// What is stored makes no sense.
    #[error("{0}")]
    State(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StateError> for ReadError {
    fn from(error: StateError) -> ReadError {
        match error {
            StateError::Store(error) => ReadError::Store(error),
            other => ReadError::State(Box::new(other)),
        }
    }
}
