use debros_ipfs::Place;
use std::{fmt, str::FromStr};

/// A place in the feed of one data folder. Keep it, as text or bytes, and go on from there later: it holds as long as the folder
/// does. It means nothing to another folder, and is told from one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPosition {
    /// Tells the data folder from others.
    pub(super) folder: [u8; 8],
    /// Before which commit.
    pub(super) place: Place,
    /// How many of its operations lie before.
    pub(super) op: u32,
    /// And how many entries of the next one.
    pub(super) entry: u32,
    /// Tells the commit from others in whose midst it is; zeros, if it is in none.
    pub(super) commit: [u8; 8],
}

/// A text, or bytes, that are no position in a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no position in a feed: keep those that a feed gives as they are")]
pub struct NotAFeedPosition;

const VERSION: u8 = 1;
const PLACE: usize = 48;
const BYTES: usize = 1 + 8 + PLACE + 4 + 4 + 8;

impl FeedPosition {
    pub(super) fn at(folder: [u8; 8], place: Place) -> FeedPosition {
        FeedPosition { folder, place, op: 0, entry: 0, commit: [0; 8] }
    }

    /// Is it inside of a commit?
    pub(super) fn is_within(&self) -> bool {
        self.op > 0 || self.entry > 0
    }

    /// As bytes, always as many.
    pub fn to_bytes(&self) -> Vec<u8> {
        let FeedPosition { folder, place, op, entry, commit } = self;
        [&[VERSION][..], folder, &place.to_bytes(), &op.to_be_bytes(), &entry.to_be_bytes(), commit].concat()
    }

    /// Reads what [`FeedPosition::to_bytes`] wrote.
    ///
    /// # Errors
    /// If that is not what it writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<FeedPosition, NotAFeedPosition> {
        FeedPosition::read(bytes).ok_or(NotAFeedPosition)
    }

    fn read(bytes: &[u8]) -> Option<FeedPosition> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let (folder, rest) = bytes.strip_prefix(&[VERSION])?.split_first_chunk()?;
        let (place, rest) = rest.split_first_chunk::<PLACE>()?;
        let (op, rest) = rest.split_first_chunk()?;
        let (entry, commit) = rest.split_first_chunk()?;
        let (op, entry) = (u32::from_be_bytes(*op), u32::from_be_bytes(*entry));
        let (place, commit) = (Place::from_bytes(place)?, commit.try_into().ok()?);
        Some(FeedPosition { folder: *folder, place, op, entry, commit })
    }
}

impl fmt::Display for FeedPosition {
    /// As text, which [`FromStr`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

impl FromStr for FeedPosition {
    type Err = NotAFeedPosition;
    fn from_str(text: &str) -> Result<FeedPosition, NotAFeedPosition> {
        if text.len() != 2 * BYTES {
            return Err(NotAFeedPosition);
        }
        FeedPosition::from_bytes(&hex::decode(text).map_err(|_| NotAFeedPosition)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_bytes_and_text() {
        let place = Place::from_bytes(&[9; PLACE]).expect("48 bytes are a place");
        let position = FeedPosition { folder: [7; 8], place, op: 3, entry: u32::MAX, commit: [8; 8] };
        assert_eq!(FeedPosition::from_bytes(&position.to_bytes()), Ok(position));
        assert_eq!(position.to_string().parse(), Ok(position));
        let bytes = position.to_bytes();
        for len in 0..bytes.len() {
            assert_eq!(FeedPosition::from_bytes(&bytes[..len]), Err(NotAFeedPosition));
        }
        assert!(FeedPosition::from_bytes(&[&[2][..], &bytes[1..]].concat()).is_err(), "of a later version");
        for text in ["", "nonsense", &"é".repeat(BYTES), &position.to_string()[1..]] {
            assert_eq!(text.parse::<FeedPosition>(), Err(NotAFeedPosition));
        }
    }
}
