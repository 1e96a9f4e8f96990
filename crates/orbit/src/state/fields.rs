//! [`Fields`]: the bytes of a state row.

use debros_ipfs::Position;

/// Writes the fields of a state row, one after the other. Rows are many, so they are as short as can be.
#[derive(Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    pub(crate) fn with_capacity(capacity: usize) -> Fields {
        Fields(Vec::with_capacity(capacity))
    }

    pub(crate) fn byte(mut self, byte: u8) -> Fields {
        self.0.push(byte);
        self
    }

    /// A number, in as many bytes as it needs: seven bits in each, the lowest first.
    pub(crate) fn number(mut self, mut number: u64) -> Fields {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    pub(crate) fn position(self, position: Position) -> Fields {
        self.bytes(&position.to_bytes())
    }

    /// Bytes whose length is known to the reader, or that are the last field.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Fields {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads the fields of a state row.
pub(crate) struct FieldReader<'r>(&'r [u8]);

impl<'r> FieldReader<'r> {
    pub(crate) fn new(row: &'r [u8]) -> FieldReader<'r> {
        FieldReader(row)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn number32(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'r [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn position(&mut self) -> Option<Position> {
        Position::from_bytes(&self.array::<{ Position::BYTES }>()?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn rest(self) -> &'r [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let row = Fields::default().number(number).byte(9).finish();
            let mut reader = FieldReader::new(&row);
            assert_eq!((reader.number(), reader.byte(), reader.byte()), (Some(number), Some(9), None));
        }
        assert_eq!(FieldReader::new(&[0xff; 12]).number(), None);
        assert_eq!(FieldReader::new(&[0x80]).number(), None);
    }
}
