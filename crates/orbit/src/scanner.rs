//! [`Scanner`]: a walk over CBOR bytes that builds nothing.

use crate::limits::MAX_DEPTH;
use half::f16;

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
    lenient: bool,
}

/// What an item begins with: its kind, and its value or length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Head {
    Uint(u64),
    /// Of -1 - n.
    Negative(u64),
    Bytes(u64),
    Text(u64),
    Array(u64),
    Map(u64),
    /// Tag 42: the bytes of a CID follow.
    Link,
    Bool(bool),
    Null,
    /// Only where the scanner is lenient.
    Undefined,
    Float(f64),
}

impl<'b> Scanner<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Scanner<'b> {
        Scanner { bytes, at: 0, lenient: false }
    }

    /// One that walks over everything that JavaScript's decoder takes: `undefined` and short floats, too.
    pub(crate) fn lenient(bytes: &'b [u8]) -> Scanner<'b> {
        Scanner { bytes, at: 0, lenient: true }
    }

    /// How many bytes lie behind.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn take(&mut self, len: u64) -> Result<&'b [u8], ScanError> {
        let len = usize::try_from(len).map_err(|_| ScanError::Truncated)?;
        let end = self.at.checked_add(len).filter(|&end| end <= self.bytes.len()).ok_or(ScanError::Truncated)?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// The next bytes, at most 8, as a number.
    fn number(&mut self, len: u64) -> Result<u64, ScanError> {
        Ok(self.take(len)?.iter().fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }

    pub(crate) fn head(&mut self) -> Result<Head, ScanError> {
        let begin = self.at;
        let byte = self.take(1)?[0];
        let (major, minor) = (byte >> 5, byte & 0x1f);
        if major == 7 {
            return Ok(match minor {
                20 | 21 => Head::Bool(minor == 21),
                22 => Head::Null,
                23 if self.lenient => Head::Undefined,
                25 if self.lenient => Head::Float(f16::from_bits(self.number(2)? as u16).to_f64()),
                26 if self.lenient => Head::Float(f32::from_bits(self.number(4)? as u32).into()),
                27 => Head::Float(f64::from_bits(self.number(8)?)),
                _ => return Err(ScanError::Malformed(begin)),
            });
        }
        let argument = match minor {
            0..=23 => u64::from(minor),
            24..=27 => {
                let argument = self.number(1 << (minor - 24))?;
                let shortest = match minor {
                    24 => 24,
                    25 => 1 << 8,
                    26 => 1 << 16,
                    _ => 1 << 32,
                };
                if argument < shortest {
                    return Err(ScanError::Malformed(begin));
                }
                argument
            }
            _ => return Err(ScanError::Malformed(begin)),
        };
        Ok(match major {
            0 => Head::Uint(argument),
            1 => Head::Negative(argument),
            2 => Head::Bytes(argument),
            3 => Head::Text(argument),
            4 => Head::Array(argument),
            5 => Head::Map(argument),
            _ if argument == 42 => Head::Link,
            _ => return Err(ScanError::Malformed(begin)),
        })
    }

    fn expect(&mut self, wanted: impl FnOnce(Head) -> Option<u64>) -> Result<u64, ScanError> {
        let begin = self.at;
        wanted(self.head()?).ok_or(ScanError::Unexpected(begin))
    }

    pub(crate) fn uint(&mut self) -> Result<u64, ScanError> {
        self.expect(|head| if let Head::Uint(value) = head { Some(value) } else { None })
    }

    pub(crate) fn array(&mut self) -> Result<u64, ScanError> {
        self.expect(|head| if let Head::Array(len) = head { Some(len) } else { None })
    }

    pub(crate) fn map(&mut self) -> Result<u64, ScanError> {
        self.expect(|head| if let Head::Map(len) = head { Some(len) } else { None })
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, ScanError> {
        let begin = self.at;
        std::str::from_utf8(self.text_bytes()?).map_err(|_| ScanError::Malformed(begin))
    }

    /// A text, which may be no UTF-8.
    pub(crate) fn text_bytes(&mut self) -> Result<&'b [u8], ScanError> {
        let len = self.expect(|head| if let Head::Text(len) = head { Some(len) } else { None })?;
        self.take(len)
    }

    /// The next item is this map key.
    pub(crate) fn key(&mut self, key: &str) -> Result<(), ScanError> {
        let begin = self.at;
        if self.text()? == key { Ok(()) } else { Err(ScanError::Unexpected(begin)) }
    }

    /// How many items lie within the one whose head was read; `None` if it holds none, and then it lies behind.
    fn within(&mut self, head: Head) -> Result<Option<u64>, ScanError> {
        let inner = match head {
            Head::Bytes(len) | Head::Text(len) => {
                self.take(len)?;
                return Ok(None);
            }
            Head::Array(len) => len,
            Head::Map(len) => len.checked_mul(2).ok_or(ScanError::Truncated)?,
            Head::Link => 1,
            _ => return Ok(None),
        };
        // each item is at least one byte: a longer promise is a lie, and costs nothing to see through
        if inner > (self.bytes.len() - self.at) as u64 { Err(ScanError::Truncated) } else { Ok(Some(inner)) }
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
            let head = self.head()?;
            let Some(inner) = self.within(head)? else { continue };
            if open.len() > MAX_DEPTH {
                return Err(ScanError::TooDeep);
            }
            open.push(inner);
        }
        Ok(&self.bytes[begin..self.at])
    }

    /// Walks over the rest of an item whose head was read, however deep it is.
    pub(crate) fn skip(&mut self, head: Head) -> Result<(), ScanError> {
        // no list needs to be closed, so it is enough to count what is still to come
        let mut left = self.within(head)?.unwrap_or(0);
        while left > 0 {
            let head = self.head()?;
            let inner = self.within(head)?.unwrap_or(0);
            left = (left - 1).checked_add(inner).ok_or(ScanError::Truncated)?;
        }
        Ok(())
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

    fn skip(bytes: &[u8]) -> Result<(), ScanError> {
        let mut scanner = Scanner::lenient(bytes);
        let head = scanner.head()?;
        scanner.skip(head)?;
        scanner.end()
    }

    #[test]
    fn any_depth_is_skipped() {
        assert_eq!(skip(&nested(MAX_DEPTH + 1)), Ok(()));
        assert_eq!(skip(&nested(4 << 20)), Ok(()));
    }

    #[test]
    fn only_a_lenient_scanner_takes_what_dag_cbor_does_not_have() {
        for bytes in ["f7", "f93c00", "fa3fc00000"] {
            let bytes = hex::decode(bytes).unwrap();
            assert_eq!(scan(&bytes), Err(ScanError::Malformed(0)));
            assert_eq!(skip(&bytes), Ok(()));
        }
        assert_eq!(Scanner::lenient(&[0xf9, 0x3c, 0]).head(), Ok(Head::Float(1.0)));
    }

    proptest! {
        #[test]
        fn what_decodes_strictly_is_walked_whole(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if Value::from_dag_cbor(&bytes).is_ok() {
                prop_assert_eq!(scan(&bytes), Ok(()));
            }
            if scan(&bytes).is_ok() {
                prop_assert_eq!(skip(&bytes), Ok(()));
            }
            let _ = skip(&bytes);
        }
    }
}
