//! [`Scanner`]: a walk over CBOR bytes that builds nothing.

use crate::limits::MAX_DEPTH;

/// Why bytes cannot be walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The bytes end within an item, or a length points beyond them.
    #[error("they end too early")]
    Truncated,
    /// Something that DAG-CBOR does not have, or not in this form.
    #[error("byte {0} begins something that DAG-CBOR does not have")]
    Malformed(usize),
    /// Lists and maps within each other, too deep.
    #[error("lists and maps are nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// Another item was expected.
    #[error("byte {0} begins another item than this kind of block has there")]
    Unexpected(usize),
    /// Bytes follow.
    #[error("something follows the end of the block")]
    Trailing,
}

/// Walks over CBOR bytes without building values, so that a part can be cut out of a block and depth is bounded before
/// anything recurses.
///
/// It sees to heads and lengths; whether map keys are sorted and unique, text is UTF-8 and numbers are in their one
/// form is for the decoder of the part to say.
#[derive(Clone)]
pub(crate) struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
}

const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

impl<'b> Scanner<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Scanner<'b> {
        Scanner { bytes, at: 0 }
    }

    /// How many bytes lie behind.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn take(&mut self, len: u64) -> Result<&'b [u8], ScanError> {
        let len = usize::try_from(len).map_err(|_| ScanError::Truncated)?;
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len()).ok_or(ScanError::Truncated)?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// The head of an item: its major type and argument. Of major type 7 the argument is the number of bytes that were
    /// skipped.
    fn head(&mut self) -> Result<(u8, u64), ScanError> {
        let begin = self.at;
        let byte = self.take(1)?[0];
        let (major, minor) = (byte >> 5, byte & 0x1f);
        if major == 7 {
            return match minor {
                20..=22 => Ok((7, 0)),
                27 => self.take(8).map(|_| (7, 8)),
                _ => Err(ScanError::Malformed(begin)),
            };
        }
        let argument = match minor {
            0..=23 => return Ok((major, u64::from(minor))),
            24..=27 => self.take(1 << (minor - 24))?.iter().fold(0, |n, &b| n << 8 | u64::from(b)),
            _ => return Err(ScanError::Malformed(begin)),
        };
        let shortest = match minor {
            24 => 24,
            25 => 1 << 8,
            26 => 1 << 16,
            _ => 1 << 32,
        };
        if argument < shortest { Err(ScanError::Malformed(begin)) } else { Ok((major, argument)) }
    }

    fn expect(&mut self, major: u8) -> Result<u64, ScanError> {
        let begin = self.at;
        match self.head()? {
            (found, argument) if found == major => Ok(argument),
            _ => Err(ScanError::Unexpected(begin)),
        }
    }

    pub(crate) fn uint(&mut self) -> Result<u64, ScanError> {
        self.expect(UINT)
    }

    pub(crate) fn array(&mut self) -> Result<u64, ScanError> {
        self.expect(ARRAY)
    }

    pub(crate) fn map(&mut self) -> Result<u64, ScanError> {
        self.expect(MAP)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, ScanError> {
        let begin = self.at;
        let len = self.expect(TEXT)?;
        std::str::from_utf8(self.take(len)?).map_err(|_| ScanError::Malformed(begin))
    }

    /// The next item is this map key.
    pub(crate) fn key(&mut self, key: &str) -> Result<(), ScanError> {
        let begin = self.at;
        if self.text()? == key { Ok(()) } else { Err(ScanError::Unexpected(begin)) }
    }

    /// Walks over one item, whatever it is, and gives its bytes.
    pub(crate) fn item(&mut self) -> Result<&'b [u8], ScanError> {
        let begin = self.at;
        // how many items each open list or map still has; no recursion, so no depth of input can exhaust the stack
        let mut open: Vec<u64> = vec![1];
        while let Some(left) = open.last_mut() {
            if *left == 0 {
                open.pop();
                continue;
            }
            *left -= 1;
            let at = self.at;
            let inner = match self.head()? {
                (UINT | NEGATIVE | 7, _) => continue,
                (BYTES | TEXT, len) => {
                    self.take(len)?;
                    continue;
                }
                (ARRAY, len) => len,
                (MAP, len) => len.checked_mul(2).ok_or(ScanError::Truncated)?,
                (TAG, 42) => 1,
                _ => return Err(ScanError::Malformed(at)),
            };
            // each item is at least one byte: a longer promise is a lie, and costs nothing to see through
            if inner > (self.bytes.len() - self.at) as u64 {
                return Err(ScanError::Truncated);
            }
            if open.len() > MAX_DEPTH {
                return Err(ScanError::TooDeep);
            }
            open.push(inner);
        }
        Ok(&self.bytes[begin..self.at])
    }

    /// Nothing follows.
    pub(crate) fn end(&self) -> Result<(), ScanError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(ScanError::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use debros_core::Value;
    use proptest::prelude::*;

    fn scan(bytes: &[u8]) -> Result<(), ScanError> {
        let mut scanner = Scanner::new(bytes);
        scanner.item()?;
        scanner.end()
    }

    fn nested(levels: usize) -> Vec<u8> {
        let mut bytes = vec![0x81; levels];
        bytes.push(0xf6);
        bytes
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(scan(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(scan(&nested(MAX_DEPTH + 1)), Err(ScanError::TooDeep));
        assert_eq!(scan(&nested(4 << 20)), Err(ScanError::TooDeep));
    }

    #[test]
    fn long_promises_are_seen_through() {
        for bytes in ["9bffffffffffffffff", "bbffffffffffffffff", "5b7fffffffffffffff", "bb8000000000000000", "62 61"] {
            assert!(scan(&hex::decode(bytes.replace(' ', "")).unwrap()).is_err(), "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn what_decodes_strictly_is_walked_whole(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if Value::from_dag_cbor(&bytes).is_ok() {
                prop_assert_eq!(scan(&bytes), Ok(()));
            }
            let _ = scan(&bytes);
        }
    }
}
