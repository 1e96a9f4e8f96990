use super::BlockListError;
use crate::{ReadError, state::StateError};
use debros_ipfs::{ApplyError, CommitError, KuboError, StoreError};

/// Why something was not sent to a Kubo daemon, or is not confirmed by it. Nothing is lost by it: the local store has
/// everything, and it is tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShippingError {
    /// The daemon.
    #[error(transparent)]
    Kubo(#[from] KuboError),
    /// The daemon did not store everything that it was sent.
    #[error("Kubo stored {stored} of the {sent} blocks that it was sent; they are sent once more")]
    Incomplete {
        /// Blocks that it was sent.
        sent: u64,
        /// Blocks that it says it has stored.
        stored: u64,
    },
    /// Another daemon answers at the address.
    #[error("another Kubo daemon, or one with another repository, answers at {url} now; it is sent what it lacks")]
    OtherDaemon {
        /// The address.
        url: String,
    },
    /// The daemon holds something else than it should.
    #[error(transparent)]
    List(#[from] BlockListError),
    /// The local databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No thread could be started for it.
    #[error("no thread could be started for the Kubo daemon: {0}")]
    Thread(#[source] std::io::Error),
    /// The connection to the daemon was closed meanwhile.
    #[error("it was given up, because the database was closed meanwhile")]
    Ended,
    /// What was confirmed could not be recorded.
    #[error("what Kubo confirmed could not be recorded: {0}")]
    Journal(#[source] Box<CommitError<ApplyError>>),
}

impl From<StoreError> for ShippingError {
    fn from(error: StoreError) -> ShippingError {
        ShippingError::Read(ReadError::Store(error))
    }
}

impl From<StateError> for ShippingError {
    fn from(error: StateError) -> ShippingError {
        ShippingError::Read(error.into())
    }
}

impl ShippingError {
    pub(crate) fn journal(error: CommitError<ApplyError>) -> ShippingError {
        ShippingError::Journal(Box::new(error))
    }

    /// The node was closed, so nothing will be sent any more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            ShippingError::Read(ReadError::Store(StoreError::Closed { .. })) => true,
            ShippingError::Journal(error) => matches!(**error, CommitError::Closed { .. }),
            _ => false,
        }
    }

    /// The local store takes no more writes, so nothing that is confirmed can be recorded.
    pub(crate) fn is_poisoned(&self) -> bool {
        matches!(self, ShippingError::Journal(error) if matches!(**error, CommitError::Poisoned(_)))
    }

    /// The daemon did not answer.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, ShippingError::Kubo(error) if error.is_unreachable())
    }
}
