use std::path::PathBuf;

use crate::{ApplyError, BlockError, Poison};

/// Why a job was not committed. Whatever the reason, nothing of the job is left behind, with one exception:
/// after [`CommitError::Poisoned`] the job may turn out to have been kept when the store is opened again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError<E> {
    /// The job itself returned an error.
    #[error("{0}")]
    Job(E),
    /// An operation of the job could not be applied to the state, and the job went on regardless.
    #[error("an operation of the write could not be applied: {0}")]
    Apply(#[source] ApplyError),
    /// The job added a block that the store does not take.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The blocks and operations of the job are too much for one atomic commit.
    #[error(
        "the write has more than {max} bytes of blocks and operations, which is the most that one commit can hold; divide it into several"
    )]
    TooLarge {
        /// The most bytes that one job may bring.
        max: usize,
    },
    /// The job changed state outside of [`Apply`](crate::Apply), or added blocks or operations inside of it.
    #[error("the write broke a rule of the store: {rule}")]
    Misuse {
        /// The rule.
        rule: &'static str,
    },
    /// The job panicked. The store is unharmed.
    #[error("the write was given up because its code panicked: {message}")]
    Panicked {
        /// Message of the panic.
        message: String,
    },
    /// An earlier write failed on the disk, or this one did.
    #[error(transparent)]
    Poisoned(#[from] Poison),
    /// The store was closed before the job ran.
    #[error("the store in {path} is closed; open it again to write", path = path.display())]
    Closed {
        /// The data folder.
        path: PathBuf,
    },
}
