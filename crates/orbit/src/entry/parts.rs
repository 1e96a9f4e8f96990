//! [`EntryParts`]: the fields of an entry, as they lie in its block.

use crate::{EntryError, Hash, NotAHash, ScanError, scanner::Scanner};
use debros_core::{DagCborError, Value};

/// The fields of an entry as they lie in its block; nothing is copied, and the payload is not decoded.
pub(crate) struct EntryParts<'b> {
    pub(crate) version: u64,
    pub(crate) log: &'b str,
    pub(crate) key: &'b str,
    pub(crate) signature: &'b str,
    next: Scanner<'b>,
    refs: Scanner<'b>,
    pub(crate) clock_id: &'b str,
    pub(crate) time: u64,
    pub(crate) payload: &'b [u8],
    pub(crate) identity: &'b str,
    /// `v` and `id`, with their keys.
    front: &'b [u8],
    /// `next` to `payload`, with their keys.
    middle: &'b [u8],
}

impl<'b> EntryParts<'b> {
    /// Finds the fields of a block, which must be exactly the nine of an entry, in canonical order.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<EntryParts<'b>, EntryError> {
        EntryParts::walk(bytes).map_err(EntryError::Fields)
    }

    fn walk(bytes: &'b [u8]) -> Result<EntryParts<'b>, ScanError> {
        let mut walk = Scanner::new(bytes);
        if walk.map()? != 9 {
            return Err(ScanError::Unexpected(0));
        }
        let front = walk.position();
        walk.key("v")?;
        let version = walk.uint()?;
        walk.key("id")?;
        let log = walk.text()?;
        let front = &bytes[front..walk.position()];
        walk.key("key")?;
        let key = walk.text()?;
        walk.key("sig")?;
        let signature = walk.text()?;
        let middle = walk.position();
        walk.key("next")?;
        let next = walk.clone();
        texts(&mut walk)?;
        walk.key("refs")?;
        let refs = walk.clone();
        texts(&mut walk)?;
        walk.key("clock")?;
        let clock = walk.position();
        if walk.map()? != 2 {
            return Err(ScanError::Unexpected(clock));
        }
        walk.key("id")?;
        let clock_id = walk.text()?;
        walk.key("time")?;
        let time = walk.uint()?;
        walk.key("payload")?;
        let payload = walk.item()?;
        let middle = &bytes[middle..walk.position()];
        walk.key("identity")?;
        let identity = walk.text()?;
        walk.end()?;
        Ok(EntryParts { version, log, key, signature, next, refs, clock_id, time, payload, identity, front, middle })
    }

    pub(crate) fn next(&self) -> Result<Vec<Hash>, NotAHash> {
        hashes(self.next.clone())
    }

    pub(crate) fn refs(&self) -> Result<Vec<Hash>, NotAHash> {
        hashes(self.refs.clone())
    }

    /// The bytes that the signature covers.
    pub(crate) fn signed(&self) -> Vec<u8> {
        let mut signed = Vec::with_capacity(1 + self.front.len() + self.middle.len());
        signed.push(0xa6); // a map of six
        signed.extend_from_slice(self.front);
        signed.extend_from_slice(self.middle);
        signed
    }

    /// The payload's field `value`, of an entry that was accepted before; `None` if the payload has none.
    pub(crate) fn value(&self) -> Result<Option<Value>, DagCborError> {
        let damaged = |e: ScanError| DagCborError::Decode(e.to_string());
        let mut walk = Scanner::new(self.payload);
        let Ok(fields) = walk.map() else { return Ok(None) };
        for _ in 0..fields {
            let name = walk.text().map_err(damaged)?;
            let value = walk.item().map_err(damaged)?;
            if name == "value" {
                return Value::from_trusted_dag_cbor(value).map(Some);
            }
        }
        Ok(None)
    }
}

fn texts(walk: &mut Scanner<'_>) -> Result<(), ScanError> {
    for _ in 0..walk.array()? {
        walk.text()?;
    }
    Ok(())
}

fn hashes(mut walk: Scanner<'_>) -> Result<Vec<Hash>, NotAHash> {
    // that these are texts was seen when the block was walked
    let unreadable = |e: ScanError| NotAHash(e.to_string());
    let count = walk.array().map_err(unreadable)?;
    (0..count).map(|_| walk.text().map_err(unreadable)?.parse()).collect()
}
