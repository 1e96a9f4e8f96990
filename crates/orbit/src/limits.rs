//! [`Limits`]: how large what we write, and what we take from others, may be.

use crate::{DatabaseInfo, Entry, Hold, JoinError, LastEvents, log::check_time};
use debros_core::Value;

/// The most bytes of a block that this node writes: 1 MiB. Kubo takes 2 MiB, JavaScript's exchange of heads 256 KiB.
pub const MAX_WRITTEN: usize = 1 << 20;
/// The most bytes of a block that is accepted from others: 4 MiB, what pubsub and bitswap carry.
pub const MAX_ACCEPTED: usize = 4 << 20;
/// The most levels of lists and maps within each other.
pub const MAX_DEPTH: usize = 64;
/// The largest time of a clock that is accepted and written: the largest integer that JavaScript counts exactly.
pub const MAX_TIME: u64 = (1 << 53) - 1;
/// How far the clock of an entry may be ahead of those that it follows. Honest writers are ahead by 1; without a bound,
/// one entry of a hostile writer would use up the clock for everyone.
pub const MAX_JUMP: u64 = 1 << 32;
/// The most bytes of a record's key, as its database sorts it.
pub const MAX_KEY: usize = 2048;
/// The most entries that one entry may follow and refer to, together.
pub const MAX_LINKS: usize = 4096;
/// The most heads that a log may have here: each entry that joins rewrites them all.
pub const MAX_HEADS: usize = 4096;
/// An entry that is written here follows at most so many heads. There are more only where hostile writers make them.
pub(crate) const MAX_NEXT: usize = 256;

/// What a node takes from others. The defaults suit every application; a larger number costs memory and disk that others
/// decide about, a smaller one refuses what other nodes accept. Set every node of an application alike: nodes with
/// other limits on size, depth or clocks accept other entries.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of an entry that is accepted from others (default, and most, [`MAX_ACCEPTED`]).
    pub entry_bytes: usize,
    /// The most levels of lists and maps within each other in an entry (default, and most, [`MAX_DEPTH`]).
    pub depth: usize,
    /// The most heads of a log (default, and most, [`MAX_HEADS`]).
    pub heads: usize,
    /// How far the clock of an entry may be ahead of those that it follows (default, and most, [`MAX_JUMP`]).
    pub jump: u64,
    /// The most heads of a database that wait for what they follow (default 1,024).
    pub pending: u64,
    /// The most entries of a database that are held back for another reason, without an entry that builds on them
    /// (default 1,024). They stay on the disk.
    pub quarantined: u64,
    /// And the most bytes of those (default 16 MiB).
    pub quarantined_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            entry_bytes: MAX_ACCEPTED,
            depth: MAX_DEPTH,
            heads: MAX_HEADS,
            jump: MAX_JUMP,
            pending: 1024,
            quarantined: 1024,
            quarantined_bytes: 16 << 20,
        }
    }
}

/// An entry was not taken because of one of the [`Limits`] of this node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// [`Limits::entry_bytes`].
    #[error("an entry of {bytes} bytes is too large: this node accepts at most {max} (the limit `entry_bytes`)")]
    EntryBytes {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// [`LastEvents::entry_bytes`](crate::LastEvents).
    #[error(
        "an entry of {bytes} bytes is too large for `{database}`, of which entries of {max} bytes are taken from others"
    )]
    EventBytes {
        /// The database's name.
        database: String,
        /// Its bytes.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// [`LastEvents::entries`](crate::LastEvents).
    #[error("the log of `{database}` has {max} entries here, and no more are taken from others")]
    Entries {
        /// The database's name.
        database: String,
        /// The limit.
        max: u64,
    },
    /// [`Limits::depth`].
    #[error("the entry has more than {max} levels of lists and maps within each other (the limit `depth`)")]
    Depth {
        /// The limit.
        max: usize,
    },
    /// [`Limits::heads`].
    #[error(
        "the log of `{database}` has {max} heads, and this entry would be one more (the limit `heads`); it can join after a write has brought heads together"
    )]
    Heads {
        /// The database's name.
        database: String,
        /// The limit.
        max: usize,
    },
    /// [`Limits::jump`].
    #[error(
        "the time of the entry is {time}, more than {max} ahead of the entries that it follows, which are of {before} (the limit `jump`)"
    )]
    Jump {
        /// Its time.
        time: u64,
        /// The largest time of those that it follows.
        before: u64,
        /// The limit.
        max: u64,
    },
    /// [`Limits::pending`].
    #[error(
        "{max} heads of `{database}` wait for entries that are not here (the limit `pending`); this one was not kept"
    )]
    Pending {
        /// The database's name.
        database: String,
        /// The limit.
        max: u64,
    },
    /// [`Limits::quarantined`].
    #[error(
        "{max} entries of `{database}` are held back (the limit `quarantined`); one more was not kept, which would be held back because {hold}"
    )]
    Quarantined {
        /// The database's name.
        database: String,
        /// The limit.
        max: u64,
        /// Why it would be held back.
        hold: Hold,
    },
    /// [`Limits::quarantined_bytes`].
    #[error(
        "entries of `{database}` that are held back take {max} bytes (the limit `quarantined_bytes`); one more was not kept, which would be held back because {hold}"
    )]
    QuarantinedBytes {
        /// The database's name.
        database: String,
        /// The limit.
        max: u64,
        /// Why it would be held back.
        hold: Hold,
    },
}

impl Limits {
    /// Is this entry, of which nothing else is known to be wrong, within the limits?
    pub(crate) fn admits(&self, entry: &Entry) -> Result<(), LimitError> {
        if entry.bytes().len() > self.entry_bytes {
            return Err(LimitError::EntryBytes { bytes: entry.bytes().len(), max: self.entry_bytes });
        }
        // the entry itself is a level, and what it was decoded from is not deeper than MAX_DEPTH
        if self.depth < MAX_DEPTH && depth(entry.payload()) + 1 > self.depth {
            return Err(LimitError::Depth { max: self.depth });
        }
        Ok(())
    }

    /// Is there room for one more entry of others, of so many bytes, in a database of last events?
    pub(crate) fn admits_event(
        kept: &LastEvents,
        database: &DatabaseInfo,
        entries: u64,
        bytes: usize,
    ) -> Result<(), LimitError> {
        if bytes > kept.entry_bytes {
            let database = database.spec.name.clone();
            return Err(LimitError::EventBytes { database, bytes, max: kept.entry_bytes });
        }
        if entries >= kept.entries {
            return Err(LimitError::Entries { database: database.spec.name.clone(), max: kept.entries });
        }
        Ok(())
    }

    /// May an entry have this time after entries of the time `before`?
    pub(crate) fn check_time(&self, time: u64, before: u64) -> Result<(), JoinError> {
        check_time(time, before)?;
        if time - before > self.jump {
            return Err(LimitError::Jump { time, before, max: self.jump }.into());
        }
        Ok(())
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(fields) => 1 + fields.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}
