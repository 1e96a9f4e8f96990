//! [`Log`]: the entries of a database, in memory.

mod traverse;

use crate::{
    Address, Encryption, Entry, EntryError, Hash, Identity, Payload,
    limits::{MAX_JUMP, MAX_TIME},
};
use debros_core::Value;
use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};
pub(crate) use traverse::{Links, Traverse};

/// The entries of a database, in memory: how logs grow, join and are read. What a node keeps on disk follows the same
/// rules without holding the entries.
///
/// ```
/// use debros_orbit::{Address, Hash, Identity, Log, Payload, SigningKey};
///
/// let me = Identity::new(&SigningKey::generate()?, SigningKey::generate()?);
/// let mut log = Log::new(Address::of(Hash::of(b"a manifest")));
/// log.append(&me, Payload::add("one".into()).into_value(), 16)?;
/// let two = log.append(&me, Payload::add("two".into()).into_value(), 16)?;
/// assert_eq!(log.heads(), [two]);
/// assert_eq!(log.traverse().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Log {
    address: Address,
    entries: HashMap<Hash, Entry>,
    heads: Vec<Hash>,
    encryption: Encryption,
}

/// Why an entry does not join a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// It belongs to another log.
    #[error("the entry belongs to {entry}, and this is the log of {log}")]
    OtherLog {
        /// Where it belongs.
        entry: Address,
        /// The log that it was to join.
        log: Address,
    },
    /// An entry that it follows or refers to is not here.
    #[error("the entry follows entry {0}, which is not here; fetch that first")]
    Missing(Hash),
    /// Its clock is not later than those of the entries that it follows.
    #[error("the time of the entry is {time}, and the entries that it follows are of {before}")]
    NotLater {
        /// Its time.
        time: u64,
        /// The largest time of those that it follows.
        before: u64,
    },
    /// Its clock is so far ahead that it would use up the times there are.
    #[error(
        "the time of the entry is {time}, more than {MAX_JUMP} ahead of the entries that it follows, which are of {before}"
    )]
    TooFarAhead {
        /// Its time.
        time: u64,
        /// The largest time of those that it follows.
        before: u64,
    },
}

impl Log {
    /// An empty log.
    pub fn new(address: Address) -> Log {
        Log::encrypted(address, Encryption::default())
    }

    /// An empty log whose entries are written, and whose payloads are read, with these keys. Entries of others are
    /// [opened](Entry::open) before they join.
    pub fn encrypted(address: Address, encryption: Encryption) -> Log {
        Log { address, entries: HashMap::new(), heads: Vec::new(), encryption }
    }

    /// The log's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry with this hash.
    pub fn get(&self, hash: &Hash) -> Option<&Entry> {
        self.entries.get(hash)
    }

    /// The entries that no other entry follows, newest first.
    pub fn heads(&self) -> &[Hash] {
        &self.heads
    }

    /// The entries, newest first: by time, then by the writer's key, then, where JavaScript has no rule, by hash.
    pub fn traverse(&self) -> impl Iterator<Item = &Entry> {
        self.walk(&self.heads).filter_map(|hash| self.entries.get(&hash))
    }

    /// What the entry with this hash does; `None` if there is no such entry, or its payload means nothing: to us, if it
    /// is encrypted and we lack the key.
    pub fn payload(&self, hash: &Hash) -> Option<Payload> {
        let payload = self.encryption.open_payload(self.get(hash)?.payload()).ok()?;
        Payload::from_value(payload.into_owned())
    }

    /// The entries that can be reached from these, newest first.
    pub(crate) fn walk(&self, roots: &[Hash]) -> impl Iterator<Item = Hash> + use<'_> {
        let links = |hash: &Hash| -> Result<Links, Infallible> {
            let entry = &self.entries[hash]; // what an entry of the log follows is in the log
            Ok(Links { clock: entry.clock(), next: entry.next().to_vec() })
        };
        Traverse::new(roots.iter().copied(), links).map(traverse::sure)
    }

    /// Writes an entry after the heads, with at most `references` further ancestors in `refs`.
    ///
    /// # Errors
    /// If it cannot be written: see [`Entry::create`].
    pub fn append(&mut self, identity: &Identity, payload: Value, references: usize) -> Result<Hash, EntryError> {
        let refs: Vec<_> = self.walk(&self.heads).skip(self.heads.len()).take(references).collect();
        let time = self.heads.iter().map(|head| self.entries[head].clock().time).max().unwrap_or(0) + 1;
        let payload = self.encryption.seal_payload(payload)?;
        let entry = Entry::create(identity, self.address, payload, &self.heads, &refs, time)?.seal(&self.encryption)?;
        let hash = entry.hash();
        self.entries.insert(hash, entry);
        self.heads = vec![hash];
        Ok(hash)
    }

    /// Adds an entry whose signature was checked ([`Entry::verify`]), and whose ancestors are here. False if it was
    /// here already.
    ///
    /// # Errors
    /// If it belongs to another log, an ancestor is missing, or its clock is wrong. Nothing is added then.
    pub fn join(&mut self, entry: Entry) -> Result<bool, LogError> {
        if entry.log() != self.address {
            return Err(LogError::OtherLog { entry: entry.log(), log: self.address });
        }
        let hash = entry.hash();
        if self.entries.contains_key(&hash) {
            return Ok(false);
        }
        if let Some(missing) = entry.next().iter().chain(entry.refs()).find(|hash| !self.entries.contains_key(hash)) {
            return Err(LogError::Missing(*missing));
        }
        let before = entry.next().iter().map(|next| self.entries[next].clock().time).max().unwrap_or(0);
        check_time(entry.clock().time, before)?;
        let followed: HashSet<Hash> = entry.next().iter().copied().collect();
        self.heads.retain(|head| !followed.contains(head));
        self.heads.push(hash);
        self.entries.insert(hash, entry);
        self.heads.sort_by_key(|head| std::cmp::Reverse((self.entries[head].clock(), *head)));
        Ok(true)
    }
}

/// Is `time` one that an entry may have after entries of the time `before`?
pub(crate) fn check_time(time: u64, before: u64) -> Result<(), LogError> {
    if time <= before {
        return Err(LogError::NotLater { time, before });
    }
    if time - before > MAX_JUMP || time > MAX_TIME {
        return Err(LogError::TooFarAhead { time, before });
    }
    Ok(())
}
