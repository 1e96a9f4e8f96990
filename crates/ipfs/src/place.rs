use std::{cmp::Ordering, fmt};

use crate::{Position, journal_end::JournalEnd};

/// A place between two groups of the segments: where reading of groups begins or has come to. Later places are larger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place(pub(crate) JournalEnd);

impl Place {
    /// Segment, offset and sequence number of the next group, and what its record must name as the one before it; 48
    /// bytes.
    pub fn to_bytes(self) -> [u8; JournalEnd::BYTES] {
        self.0.to_bytes()
    }

    /// How many groups lie before it, and one: sorts as places do.
    pub fn sequence(self) -> u64 {
        self.0.sequence
    }

    /// Whether it lies before a block.
    pub fn is_before(self, block: Position) -> bool {
        (self.0.segment, self.0.offset) < (block.segment, block.offset)
    }

    /// Reads what [`Place::to_bytes`] wrote; `None` when there are not exactly 48 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Place> {
        JournalEnd::from_bytes(bytes).map(Place)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Place) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Place) -> Ordering {
        self.0.place().cmp(&other.0.place())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}, byte {}", self.0.segment, self.0.offset)
    }
}
