use debros_core::UserId;
use debros_orbit::{KeystoreError, ReadError};

/// Why a user's data was not taken away.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnfollowError {
    /// The data of a user of this folder stays.
    #[error("the user {user} has an identity in this data folder, and writes there; their data is not taken away")]
    OwnUser {
        /// The user.
        user: UserId,
    },
    /// The keys of this folder could not be read.
    #[error(transparent)]
    Keys(#[from] KeystoreError),
    /// The local databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A database was not dropped.
    #[error("the data of the user {user} was not all taken away: {source}")]
    Drop {
        /// The user.
        user: UserId,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
