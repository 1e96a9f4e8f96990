use crate::{
    car::{HEADER_LEN, chain_root},
    store_mark::StoreMark,
};

/// A place between two groups: where the next one begins and what its journal record must say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JournalEnd {
    pub(crate) segment: u32,
    /// Offset in the segment file.
    pub(crate) offset: u32,
    /// Sequence number of the next record.
    pub(crate) sequence: u64,
    /// Hash that the next record in this segment names as the previous one.
    pub(crate) previous: [u8; 32],
}

impl JournalEnd {
    /// Length of [`JournalEnd::to_bytes`].
    pub(crate) const BYTES: usize = 48;

    /// Before the first group of the store.
    pub(crate) fn start(mark: &StoreMark) -> JournalEnd {
        JournalEnd { segment: 1, offset: HEADER_LEN, sequence: 1, previous: chain_root(1, mark) }
    }

    /// Before the first group of the next segment.
    pub(crate) fn next_segment(self, mark: &StoreMark) -> JournalEnd {
        let segment = self.segment + 1;
        JournalEnd { segment, offset: HEADER_LEN, sequence: self.sequence, previous: chain_root(segment, mark) }
    }

    /// Where in the store this is: sorts as groups do.
    pub(crate) fn place(self) -> (u32, u32) {
        (self.segment, self.offset)
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[16..].copy_from_slice(&self.previous);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<JournalEnd> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        Some(JournalEnd {
            segment: u32::from_be_bytes(bytes[..4].try_into().ok()?),
            offset: u32::from_be_bytes(bytes[4..8].try_into().ok()?),
            sequence: u64::from_be_bytes(bytes[8..16].try_into().ok()?),
            previous: bytes[16..].try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip() {
        let end = JournalEnd { segment: 3, offset: 77, sequence: 1 << 40, previous: [5; 32] };
        assert_eq!(JournalEnd::from_bytes(&end.to_bytes()), Some(end));
        assert_eq!(JournalEnd::from_bytes(&end.to_bytes()[1..]), None);
        assert!(end.place() < end.next_segment(&StoreMark::from_bytes([1; 16])).place());
    }
}
