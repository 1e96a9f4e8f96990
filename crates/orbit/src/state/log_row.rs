//! [`LogRow`]: the heads of a log, and counts.

use super::{FieldReader, Fields};
use crate::{Hash, Hold};

/// The heads of a database's log, and how much there is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogRow {
    /// Entries in the log.
    pub(crate) entries: u64,
    /// Identities that wrote them.
    pub(crate) writers: u64,
    /// Keys that hold a row.
    pub(crate) rows: u64,
    /// Keys that hold something that is no row.
    pub(crate) problems: u64,
    /// Keys that are remembered to be deleted.
    pub(crate) tombstones: u64,
    /// Rows of entries that are held back.
    pub(crate) held: u64,
    /// How many of those are heads that wait for what they follow.
    pub(crate) pending: u64,
    /// How many are held back for another reason while nothing needs them, and their bytes: by [`Hold::pool`](crate::Hold).
    pub(crate) unneeded: [Unneeded; Hold::POOLS],
    /// The entries that no other entry follows, in the order of their arrival.
    pub(crate) heads: Vec<Head>,
}

/// Entries that are held back while nothing needs them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unneeded {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// An entry that no other entry follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) hash: Hash,
    /// The number of its identity.
    pub(crate) author: u32,
    pub(crate) time: u64,
}

impl LogRow {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut row = Fields::with_capacity(16 + 40 * self.heads.len());
        row = row
            .number(self.entries)
            .number(self.writers)
            .number(self.rows)
            .number(self.problems)
            .number(self.tombstones);
        row = row.number(self.held).number(self.pending);
        for pool in self.unneeded {
            row = row.number(pool.entries).number(pool.bytes);
        }
        row = row.number(self.heads.len() as u64);
        for head in &self.heads {
            row = row.bytes(head.hash.digest()).number(head.author.into()).number(head.time);
        }
        row.finish()
    }

    pub(crate) fn from_bytes(row: &[u8]) -> Option<LogRow> {
        let mut row = FieldReader::new(row);
        let mut log = LogRow {
            entries: row.number()?,
            writers: row.number()?,
            rows: row.number()?,
            problems: row.number()?,
            tombstones: row.number()?,
            held: row.number()?,
            pending: row.number()?,
            unneeded: Default::default(),
            heads: Vec::new(),
        };
        for pool in &mut log.unneeded {
            *pool = Unneeded { entries: row.number()?, bytes: row.number()? };
        }
        for _ in 0..row.number()? {
            let hash = Hash::from_digest(row.array()?);
            log.heads.push(Head { hash, author: row.number32()?, time: row.number()? });
        }
        Some(log)
    }
}
