use std::fmt;

/// Where the bytes of a block lie: the number of the segment file, and the offset and length of the block's data in
/// it (of the data itself, not of the section that frames it). A position never changes while its segment exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Number of the segment file, counted from 1.
    pub segment: u32,
    /// Offset of the first byte of the block's data in the file, in bytes.
    pub offset: u32,
    /// Length of the block's data, in bytes.
    pub len: u32,
}

impl Position {
    /// Length of [`Position::to_bytes`].
    pub const BYTES: usize = 12;

    /// Segment, offset and length, each as four bytes big-endian: sorts as positions do.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..].copy_from_slice(&self.len.to_be_bytes());
        bytes
    }

    /// Reads what [`Position::to_bytes`] wrote; `None` when there are not exactly twelve bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let (segment, rest) = bytes.split_first_chunk::<4>()?;
        let (offset, rest) = rest.split_first_chunk::<4>()?;
        let len: &[u8; 4] = rest.try_into().ok()?;
        Some(Position {
            segment: u32::from_be_bytes(*segment),
            offset: u32::from_be_bytes(*offset),
            len: u32::from_be_bytes(*len),
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {}, byte {}, {} bytes", self.segment, self.offset, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn bytes_round_trip_and_sort_as_positions() {
        let low = Position { segment: 1, offset: u32::MAX, len: 7 };
        let high = Position { segment: 2, offset: 0, len: 0 };
        assert_eq!(Position::from_bytes(&low.to_bytes()), Some(low));
        assert!(low < high && low.to_bytes() < high.to_bytes());
        assert_eq!(low.to_bytes(), [0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 7]);
    }

    #[test]
    fn other_lengths_are_no_positions() {
        assert_eq!(Position::from_bytes(&[0; 11]), None);
        assert_eq!(Position::from_bytes(&[0; 13]), None);
        assert_eq!(Position::from_bytes(&[]), None);
    }
}
