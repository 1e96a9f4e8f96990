use super::KnownIdentity;
use crate::{Address, DatabaseId, Entry, EntryError, Hash, JoinError, entry::EntryParts};
use debros_ipfs::Position;
use std::collections::HashMap;

/// An entry that waits for being looked at.
#[derive(Debug)]
pub(super) struct WaitingEntry {
    pub(super) database: DatabaseId,
    pub(super) hash: Hash,
    pub(super) bytes: Vec<u8>,
    pub(super) position: Position,
    /// The number of its operation.
    pub(super) at: u64,
}

/// What an entry says, and what is wrong with it as far as it shows without the rest of its log.
#[derive(Debug)]
pub(super) struct SeenEntry {
    /// The log that it belongs to; not looked at where nothing is judged.
    pub(super) log: Option<Address>,
    pub(super) time: u64,
    pub(super) next: Vec<Hash>,
    /// Not looked at where nothing is judged.
    pub(super) refs: Vec<Hash>,
    pub(super) author: Option<u32>,
    /// What is wrong with its identity or its signature.
    pub(super) fault: Option<JoinError>,
}

impl SeenEntry {
    /// What an entry that was accepted says.
    pub(super) fn read(
        waiting: &WaitingEntry,
        identities: &HashMap<Hash, KnownIdentity>,
    ) -> Result<SeenEntry, EntryError> {
        let parts = EntryParts::parse(&waiting.bytes)?;
        let identity: Hash = parts.identity.parse()?;
        let known = identities.get(&identity).filter(|known| known.since < waiting.at);
        Ok(SeenEntry {
            log: None,
            time: parts.time,
            next: parts.next()?,
            refs: Vec::new(),
            author: known.map(|known| known.number),
            fault: known.is_none().then_some(JoinError::UnknownIdentity(identity)),
        })
    }

    /// The same, with everything checked that can be checked of the entry alone.
    pub(super) fn judge(
        waiting: &WaitingEntry,
        identities: &HashMap<Hash, KnownIdentity>,
    ) -> Result<SeenEntry, EntryError> {
        let entry = Entry::decode(&waiting.bytes)?;
        let known = identities.get(&entry.identity()).filter(|known| known.since < waiting.at);
        let fault = match known {
            None => Some(JoinError::UnknownIdentity(entry.identity())),
            Some(known) => entry.verify(&known.block).err().map(JoinError::from),
        };
        Ok(SeenEntry {
            log: Some(entry.log()),
            time: entry.clock().time,
            next: entry.next().to_vec(),
            refs: entry.refs().to_vec(),
            author: known.map(|known| known.number),
            fault,
        })
    }
}
