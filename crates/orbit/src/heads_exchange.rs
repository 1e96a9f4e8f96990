//! [`HeadsExchange`]: the heads that a peer sends, in one stream of bytes.

use crate::{
    ScanError,
    limits::{MAX_ACCEPTED, MAX_HEADS},
    scanner::Scanner,
};
use std::iter::FusedIterator;

/// The most bytes of one exchange that are taken: the largest entry, and many of the usual size.
const MAX_BYTES: usize = MAX_ACCEPTED + (1 << 20);

/// The heads that a peer sends, in one stream of bytes: one block after the other and nothing in between. Where the pieces
/// begin in which they arrive means nothing; a block ends where its CBOR ends.
///
/// ```
/// use debros_orbit::HeadsExchange;
///
/// let mut exchange = HeadsExchange::default();
/// for piece in [&[0x81][..], &[0x01, 0x63, b'a'], b"bc"] {
///     exchange.read(piece)?;
/// }
/// let heads: Vec<&[u8]> = exchange.heads().collect::<Result<_, _>>()?;
/// assert_eq!(heads, [&[0x81, 0x01][..], b"\x63abc"]);
/// # Ok::<(), debros_orbit::HeadsExchangeError>(())
/// ```
#[derive(Debug, Default)]
pub struct HeadsExchange {
    bytes: Vec<u8>,
}

/// Why an exchange of heads goes no further. The heads before it count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadsExchangeError {
    /// Too many bytes.
    #[error("a peer sends more than {MAX_BYTES} bytes of heads")]
    TooLarge,
    /// Too many heads.
    #[error("a peer sends more than {MAX_HEADS} heads")]
    TooMany,
    /// A head that is too large.
    #[error("a peer sends a head of {0} bytes: at most {MAX_ACCEPTED} bytes (4 MiB) are accepted")]
    HeadTooLarge(usize),
    /// No CBOR, or the stream ends in the middle of it.
    #[error("what a peer sends as heads is not a sequence of blocks: {0}")]
    Scan(#[from] ScanError),
}

impl HeadsExchange {
    /// Takes the next piece of the stream.
    ///
    /// # Errors
    /// If the stream becomes too long; what came before the piece is kept.
    pub fn read(&mut self, piece: &[u8]) -> Result<(), HeadsExchangeError> {
        if self.bytes.len() + piece.len() > MAX_BYTES {
            return Err(HeadsExchangeError::TooLarge);
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// The heads, when the stream has ended. Nothing is said of them but where they end: each is still to be judged.
    pub fn heads(&self) -> impl FusedIterator<Item = Result<&[u8], HeadsExchangeError>> {
        Heads { rest: &self.bytes, given: 0 }
    }
}

struct Heads<'e> {
    rest: &'e [u8],
    given: usize,
}

impl<'e> Heads<'e> {
    fn cut(&mut self) -> Result<&'e [u8], HeadsExchangeError> {
        if self.given == MAX_HEADS {
            return Err(HeadsExchangeError::TooMany);
        }
        // whatever JavaScript takes for an item is one, so that one that is refused hides no other
        let mut walk = Scanner::lenient(self.rest);
        let head = walk.head()?;
        walk.skip(head)?;
        let (block, rest) = self.rest.split_at(walk.position());
        if block.len() > MAX_ACCEPTED {
            return Err(HeadsExchangeError::HeadTooLarge(block.len()));
        }
        self.rest = rest;
        self.given += 1;
        Ok(block)
    }
}

impl<'e> Iterator for Heads<'e> {
    type Item = Result<&'e [u8], HeadsExchangeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let cut = self.cut();
        if cut.is_err() {
            self.rest = &[];
        }
        Some(cut)
    }
}

impl FusedIterator for Heads<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(stream: &[u8]) -> (usize, Option<HeadsExchangeError>) {
        let mut exchange = HeadsExchange::default();
        exchange.read(stream).unwrap();
        let heads: Vec<_> = exchange.heads().collect();
        let good = heads.iter().take_while(|head| head.is_ok()).count();
        (good, heads.into_iter().nth(good).and_then(Result::err))
    }

    #[test]
    fn what_is_no_sequence_ends_it_and_what_came_before_counts() {
        assert_eq!(split(b""), (0, None));
        assert_eq!(split(b"\x61a\xff\x61b"), (1, Some(ScanError::Malformed(0).into())), "nothing is known of the rest");
        assert_eq!(split(&[0x01, 0x82, 0x01]), (1, Some(ScanError::Truncated.into())));
        assert_eq!(split(&[0x01, 0x02, 0xff, 0x03]), (2, Some(ScanError::Malformed(0).into())));
        assert_eq!(split(&[0xf9, 0x3c, 0x00, 0x01]), (2, None), "a short float hides nothing");
        let deep = [vec![0x81; 200], vec![0x00, 0x01]].concat();
        assert_eq!(split(&deep), (2, None), "nor does depth");
    }

    #[test]
    fn it_is_bounded() {
        assert_eq!(split(&vec![0; MAX_HEADS + 1]), (MAX_HEADS, Some(HeadsExchangeError::TooMany)));
        let mut large = vec![0x5a];
        large.extend((MAX_ACCEPTED as u32).to_be_bytes());
        large.resize(5 + MAX_ACCEPTED, 0);
        assert_eq!(split(&large), (0, Some(HeadsExchangeError::HeadTooLarge(5 + MAX_ACCEPTED))));
        let mut exchange = HeadsExchange::default();
        exchange.read(&vec![0x60; MAX_BYTES - 1]).unwrap();
        assert_eq!(exchange.read(&[0x60; 2]), Err(HeadsExchangeError::TooLarge));
        assert_eq!(exchange.read(&[0x60]), Ok(()));
    }
}
