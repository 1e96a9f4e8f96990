//! [`Error`]: anything that can go wrong.

use crate::{ChangesError, IdentityError, OpenError, OwnerError, WriteError};
use debros_orbit::StoreError;
use debros_query::{QueryError, SourceError};

/// Anything that can go wrong: what a function of an application returns that does several things with a database. Each operation
/// has an error of its own, which converts into this one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A database was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An identity could not be had.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A write was refused.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A query has no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What has changed could not be told.
    #[error(transparent)]
    Changes(#[from] ChangesError),
    /// Whose a row is, could not be told.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// The databases could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The network.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Network(#[from] crate::NetworkError),
    /// A user was not announced.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Announce(#[from] crate::AnnounceError),
    /// The local store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a function returns that does several things with a database.
pub type Result<T, E = Error> = std::result::Result<T, E>;
