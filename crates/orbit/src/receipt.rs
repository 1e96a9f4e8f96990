//! [`Receipt`]: what became of entries that were received.

use crate::{Hash, Hold, JoinError};

/// What became of entries that were received.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Receipt {
    /// How many joined.
    pub joined: u64,
    /// How many were here before.
    pub known: u64,
    /// Those that are held back, and why.
    pub held: Vec<(Hash, Hold)>,
    /// Those that were not kept, and why: they belong elsewhere, or a limit is reached.
    pub not_kept: Vec<(Hash, JoinError)>,
}

impl Receipt {
    /// Did everything join, now or before?
    pub fn is_complete(&self) -> bool {
        self.held.is_empty() && self.not_kept.is_empty()
    }
}
