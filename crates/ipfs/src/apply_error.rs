use crate::StoreError;

/// Why an operation could not be applied to the state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The state or a block could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operation makes no sense: it does not decode, or contradicts the state.
    #[error("{0}")]
    Refused(Box<dyn std::error::Error + Send + Sync>),
    /// The job had already failed: it brought too much, a block that the store does not take, or broke a rule.
    #[error("the write had already failed: {reason}")]
    Failed {
        /// What went wrong first.
        reason: String,
    },
}

impl ApplyError {
    /// An operation that makes no sense, with the reason.
    pub fn refused(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApplyError {
        ApplyError::Refused(reason.into())
    }
}
