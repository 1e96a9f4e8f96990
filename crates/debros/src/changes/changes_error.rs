use debros_orbit::{FeedError, ReadError, StoreError};
use debros_query::{QueryError, SourceError};

/// Why changes are not told, or not any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangesError {
    /// The position is one of another data folder.
    #[error(
        "the position is one of another data folder, where changes came about in another order: leave `.from(..)` out, or take `.from_beginning()`"
    )]
    OtherFolder,
    /// What was committed where the position is, is not there.
    #[error(
        "what was committed at this position is not in the data folder any more ({reason}): an older copy of the folder was put in its place, or what was not durable yet was lost with the power; take `.from_beginning()`, and what you hold for outdated"
    )]
    Gone {
        /// What is there instead.
        reason: String,
    },
    /// The filter goes through a relation.
    #[error(
        "changes of `{model}` cannot be filtered through its relation `{relation}`: what the other record was then is not known; filter by fields of `{model}`, and look at the other record where you handle the change"
    )]
    Relation {
        /// The model.
        model: &'static str,
        /// The relation.
        relation: &'static str,
    },
    /// The database was not opened with the model.
    #[error("`{model}` is not among the models of this database: add it to the `models![..]` that it is opened with")]
    UnknownModel {
        /// The model.
        model: &'static str,
    },
    /// The filter does not fit the model.
    #[error(transparent)]
    Filter(#[from] QueryError),
    /// The databases could not be read, or were closed.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl ChangesError {
    /// Was the database closed?
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, ChangesError::Source(SourceError::Closed))
    }
}

impl From<ReadError> for ChangesError {
    fn from(error: ReadError) -> ChangesError {
        ChangesError::Source(crate::source::error(error))
    }
}
impl From<StoreError> for ChangesError {
    fn from(error: StoreError) -> ChangesError {
        ReadError::from(error).into()
    }
}
impl From<FeedError> for ChangesError {
    fn from(error: FeedError) -> ChangesError {
        match error {
            FeedError::OtherFolder => ChangesError::OtherFolder,
            FeedError::Gone { reason } => ChangesError::Gone { reason },
            FeedError::Read(error) => error.into(),
            other => ChangesError::Source(SourceError::read(other)),
        }
    }
}
