use crate::{ReadError, state::StateError};

/// Why a feed does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The position is one of another data folder.
    #[error(
        "the position in the feed is one of another data folder, and each folder has an order of its own: begin from the beginning, or from now"
    )]
    OtherFolder,
    /// What was committed where the position is, is not there.
    #[error(
        "what was committed at this position of the feed is not in the data folder any more ({reason}): an older copy of the folder was put in its place, or what was not durable yet was lost with the power; begin from the beginning, or from now"
    )]
    Gone {
        /// What is there instead.
        reason: String,
    },
    /// Something could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StateError> for FeedError {
    fn from(error: StateError) -> FeedError {
        FeedError::Read(error.into())
    }
}
