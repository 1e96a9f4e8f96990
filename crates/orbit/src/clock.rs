//! [`Clock`]: the logical time of an entry.

use crate::PublicKey;
use std::cmp::Ordering;

/// The logical time of an entry: one more than the largest of those that it follows. Ties are broken by the writer's
/// key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// The key of the device that wrote the entry.
    pub id: PublicKey,
    /// Its time, from 1.
    pub time: u64,
}

impl Ord for Clock {
    /// By time, then by the text of the key, which sorts as its bytes do.
    fn cmp(&self, other: &Clock) -> Ordering {
        self.time.cmp(&other.time).then_with(|| self.id.cmp(&other.id))
    }
}
impl PartialOrd for Clock {
    fn partial_cmp(&self, other: &Clock) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
