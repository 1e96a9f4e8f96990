use crate::{Address, DatabaseId, OpenDatabaseError, ReadError};
use debros_ipfs::NetworkError;

/// Why replication does not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicationError {
    /// The node could not take part in the network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// State could not be read; or there is no such database.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A database of which the address is known could not be opened.
    #[error("the database {address} could not be opened: {source}")]
    Open {
        /// Its address.
        address: Address,
        /// Why.
        source: Box<OpenDatabaseError>,
    },
    /// The local store.
    #[error("what was fetched could not be stored: {0}")]
    Commit(Box<dyn std::error::Error + Send + Sync>),
    /// The database is not replicated.
    #[error("the database {0} is not replicated; open it for replication first")]
    NotOpen(DatabaseId),
    /// It was closed a moment ago.
    #[error("replication of the database {0} is just ending; try again in a moment")]
    Closing(DatabaseId),
    /// Replication was closed.
    #[error("replication was closed, or has ended with its node")]
    Closed,
}
