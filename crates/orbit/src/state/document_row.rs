//! [`DocumentRow`]: what a key holds.

use super::{FieldReader, Fields};
use debros_ipfs::Position;

/// What a key of a database holds: the entry that won. Of a deleted key: the deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DocumentRow {
    /// Where its block lies.
    pub(crate) position: Position,
    pub(crate) stamp: Stamp,
    /// It is no row: the reason is in the table of problems.
    pub(crate) problem: bool,
    /// The first entry that put something there, if it is not this one. Of a deletion: if anything is known to have
    /// been there.
    pub(crate) first: Option<Stamp>,
}

/// By whom, and when by the log's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The number of the identity.
    pub(crate) author: u32,
    pub(crate) time: u64,
}

const PROBLEM: u8 = 1;
const FIRST: u8 = 2;

impl DocumentRow {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let flags = u8::from(self.problem) * PROBLEM + u8::from(self.first.is_some()) * FIRST;
        let mut row = Fields::with_capacity(24).byte(flags).position(self.position);
        for stamp in [Some(self.stamp), self.first].into_iter().flatten() {
            row = row.number(stamp.author.into()).number(stamp.time);
        }
        row.finish()
    }

    pub(crate) fn from_bytes(row: &[u8]) -> Option<DocumentRow> {
        let mut row = FieldReader::new(row);
        let (flags, position) = (row.byte()?, row.position()?);
        let mut stamp = || Some(Stamp { author: row.number32()?, time: row.number()? });
        Some(DocumentRow {
            position,
            stamp: stamp()?,
            problem: flags & PROBLEM != 0,
            first: if flags & FIRST != 0 { Some(stamp()?) } else { None },
        })
    }
}
