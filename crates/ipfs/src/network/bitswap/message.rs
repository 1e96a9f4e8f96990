use cid::multihash::Multihash;

use crate::{
    Bytes, Cid,
    block::{SHA2_256, sha256},
};

/// The most bytes of a message: JavaScript takes and sends no larger ones.
pub(super) const MAX_MESSAGE: usize = 4 << 20;
/// So many wants, blocks or presences of one message are looked at.
const MAX_ITEMS: usize = 4096;

/// A message of Bitswap.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Message {
    pub(super) wants: Vec<Want>,
    /// Is this all that the sender wants?
    pub(super) full: bool,
    /// Blocks, whose CIDs follow from their bytes.
    pub(super) blocks: Vec<(Cid, Bytes)>,
    /// Which blocks the sender has, and which not.
    pub(super) presences: Vec<(Cid, bool)>,
}

/// What somebody wants, or does not want any more.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Want {
    pub(super) cid: Cid,
    pub(super) cancel: bool,
    /// Is the block wanted, or only to know whether it is there?
    pub(super) block: bool,
    pub(super) send_dont_have: bool,
}

impl Message {
    /// With its length before it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        if !self.wants.is_empty() || self.full {
            let mut list = Vec::new();
            for want in &self.wants {
                let mut entry = Vec::new();
                bytes_field(&mut entry, 1, &want.cid.to_bytes());
                number_field(&mut entry, 2, 1);
                number_field(&mut entry, 3, want.cancel.into());
                number_field(&mut entry, 4, (!want.block).into());
                number_field(&mut entry, 5, want.send_dont_have.into());
                bytes_field(&mut list, 1, &entry);
            }
            number_field(&mut list, 2, self.full.into());
            bytes_field(&mut body, 1, &list);
        }
        for (cid, data) in &self.blocks {
            let mut block = Vec::with_capacity(data.len() + 16);
            bytes_field(&mut block, 1, &prefix(cid));
            bytes_field(&mut block, 2, data);
            bytes_field(&mut body, 3, &block);
        }
        for (cid, have) in &self.presences {
            let mut presence = Vec::new();
            bytes_field(&mut presence, 1, &cid.to_bytes());
            number_field(&mut presence, 2, (!have).into());
            bytes_field(&mut body, 4, &presence);
        }
        let mut bytes = Vec::with_capacity(body.len() + 5);
        varint(&mut bytes, body.len() as u64);
        bytes.extend(body);
        bytes
    }

    /// `None`, if it is none. What it names that cannot be a block here is left out.
    pub(super) fn decode(bytes: &[u8]) -> Option<Message> {
        let mut message = Message::default();
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Bytes(list)) => {
                    let mut fields = Fields(list);
                    while let Some((number, field)) = fields.next()? {
                        match (number, field) {
                            (1, Field::Bytes(entry)) if message.wants.len() < MAX_ITEMS => {
                                message.wants.extend(want(entry)?);
                            }
                            (2, Field::Number(full)) => message.full = full != 0,
                            _ => {}
                        }
                    }
                }
                (3, Field::Bytes(block)) if message.blocks.len() < MAX_ITEMS => {
                    message.blocks.extend(self::block(block)?)
                }
                (4, Field::Bytes(entry)) if message.presences.len() < MAX_ITEMS => {
                    let (mut cid, mut have) = (None, true);
                    let mut fields = Fields(entry);
                    while let Some((number, field)) = fields.next()? {
                        match (number, field) {
                            (1, Field::Bytes(bytes)) => cid = Cid::try_from(bytes).ok(),
                            (2, Field::Number(kind)) => have = kind == 0,
                            _ => {}
                        }
                    }
                    message.presences.extend(cid.map(|cid| (cid, have)));
                }
                _ => {}
            }
        }
        Some(message)
    }
}

fn want(entry: &[u8]) -> Option<Option<Want>> {
    let (mut cid, mut cancel, mut block, mut send_dont_have) = (None, false, true, false);
    let mut fields = Fields(entry);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Bytes(bytes)) => cid = Cid::try_from(bytes).ok(),
            (3, Field::Number(value)) => cancel = value != 0,
            (4, Field::Number(kind)) => block = kind == 0,
            (5, Field::Number(value)) => send_dont_have = value != 0,
            _ => {}
        }
    }
    Some(cid.map(|cid| Want { cid, cancel, block, send_dont_have }))
}

fn block(bytes: &[u8]) -> Option<Option<(Cid, Bytes)>> {
    let (mut prefix, mut data) = (&[][..], &[][..]);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Bytes(bytes)) => prefix = bytes,
            (2, Field::Bytes(bytes)) => data = bytes,
            _ => {}
        }
    }
    let mut parts = Fields(prefix);
    let mut part = || parts.varint();
    let (Some(version), Some(codec), Some(code), Some(len)) = (part(), part(), part(), part()) else {
        return Some(None);
    };
    if version != 1 || code != SHA2_256 || len != 32 {
        return Some(None);
    }
    let hash = Multihash::wrap(SHA2_256, &sha256(data)).ok()?;
    Some(Some((Cid::new_v1(codec, hash), Bytes::copy_from_slice(data))))
}

/// The CID without its digest.
fn prefix(cid: &Cid) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [1, cid.codec(), cid.hash().code(), cid.hash().size().into()] {
        varint(&mut bytes, part);
    }
    bytes
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn number_field(bytes: &mut Vec<u8>, number: u64, value: u64) {
    // a field that is 0 is left out
    if value != 0 {
        varint(bytes, number << 3);
        varint(bytes, value);
    }
}

fn bytes_field(bytes: &mut Vec<u8>, number: u64, value: &[u8]) {
    varint(bytes, number << 3 | 2);
    varint(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// The fields of a message of protobuf.
struct Fields<'b>(&'b [u8]);

enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    Other,
}

impl<'b> Fields<'b> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for at in 0..10 {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(7 * at)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: u64) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// The outer `None`: these are no fields. The inner: there are no more.
    fn next(&mut self) -> Option<Option<(u64, Field<'b>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let len = self.varint()?;
                Field::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some(Some((key >> 3, field)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cid(data: &[u8]) -> Cid {
        Cid::new_v1(0x71, Multihash::wrap(SHA2_256, &sha256(data)).unwrap())
    }

    /// Without the length before it.
    fn body(message: &Message) -> Vec<u8> {
        let bytes = message.to_bytes();
        let mut fields = Fields(&bytes);
        let len = fields.varint().unwrap();
        assert_eq!(fields.0.len() as u64, len);
        fields.0.to_vec()
    }

    #[test]
    fn a_want_is_what_javascript_reads() {
        let want = Want { cid: cid(b"x"), cancel: false, block: true, send_dont_have: true };
        let message = Message { wants: vec![want], ..Message::default() };
        // wantlist 1 { entries 1 { cid 1, priority 2, sendDontHave 5 } }
        let entry = [&[0x0a, 36][..], &cid(b"x").to_bytes(), &[0x10, 1, 0x28, 1]].concat();
        let list = [&[0x0a, entry.len() as u8][..], &entry].concat();
        assert_eq!(body(&message), [&[0x0a, list.len() as u8][..], &list].concat());
    }

    #[test]
    fn everything_survives() {
        let message = Message {
            wants: vec![
                Want { cid: cid(b"1"), cancel: true, block: true, send_dont_have: false },
                Want { cid: cid(b"2"), cancel: false, block: false, send_dont_have: true },
            ],
            full: true,
            blocks: vec![(cid(b"three"), Bytes::from_static(b"three"))],
            presences: vec![(cid(b"4"), true), (cid(b"5"), false)],
        };
        assert_eq!(Message::decode(&body(&message)), Some(message));
    }

    #[test]
    fn no_more_is_kept_than_is_looked_at() {
        let mut list = Vec::new();
        for _ in 0..3 * MAX_ITEMS {
            let mut entry = Vec::new();
            bytes_field(&mut entry, 1, &cid(b"1").to_bytes());
            bytes_field(&mut list, 1, &entry);
        }
        let mut bytes = Vec::new();
        bytes_field(&mut bytes, 1, &list);
        assert_eq!(Message::decode(&bytes).unwrap().wants.len(), MAX_ITEMS);
    }

    proptest! {
        #[test]
        fn anything_may_arrive(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::decode(&bytes);
        }
    }
}
