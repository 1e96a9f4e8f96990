//! [`HeldRow`]: an entry that is held back.

use super::{FieldReader, Fields};
use crate::{Hold, journal_op::HeldOp};
use debros_ipfs::Position;

/// An entry that is held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldRow {
    /// Where its block lies.
    pub(crate) position: Position,
    /// Why, since when and from whom; nothing if it was forgotten.
    pub(crate) held: Option<HeldOp>,
    /// How many of the entries that it builds on are not here, or not judged.
    pub(crate) missing: u32,
    /// An entry of the log follows it: if it joins, it is no head.
    pub(crate) followed: bool,
    /// Its time, if that is one that it may have after the entries that it follows.
    pub(crate) time: Option<u64>,
}

const FOLLOWED: u8 = 1;
const NEEDED: u8 = 2;
const FORGOTTEN: u8 = 4;

impl HeldRow {
    /// Is everything known that it builds on, and does it not join itself, so that what builds on it may join?
    pub(crate) fn is_stepped_over(&self) -> bool {
        self.missing == 0 && self.held.as_ref().is_some_and(|held| held.hold.is_stepped_over())
    }

    /// Is it held back for want of a right, and nothing else?
    #[cfg(feature = "network")]
    pub(crate) fn is_about_rights(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.hold.is_about_rights())
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.needed)
    }

    /// Is it a head that waits for what it follows?
    pub(crate) fn is_pending(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.needed && held.hold == Hold::Missing)
    }

    /// Is it held back for another reason, while nothing needs it?
    pub(crate) fn is_unneeded(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.needed && held.hold != Hold::Missing)
    }

    /// Is what it builds on worth being fetched?
    pub(crate) fn needs_ancestors(&self) -> bool {
        self.held.as_ref().is_some_and(|held| {
            held.hold == Hold::Missing || (held.needed && !matches!(held.hold, Hold::Identity(_) | Hold::Sealed))
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let flags = u8::from(self.followed) * FOLLOWED
            + u8::from(self.is_needed()) * NEEDED
            + u8::from(self.held.is_none()) * FORGOTTEN;
        let row = Fields::with_capacity(128).byte(flags).position(self.position);
        let row = row.number(self.missing.into()).number(self.time.unwrap_or(0));
        let Some(HeldOp { hold, since, from, .. }) = &self.held else { return row.finish() };
        let (kind, more) = hold.to_parts();
        row.number(*since).number(from.len() as u64).bytes(from.as_bytes()).byte(kind).bytes(more).finish()
    }

    pub(crate) fn from_bytes(row: &[u8]) -> Option<HeldRow> {
        let mut row = FieldReader::new(row);
        let (flags, position, missing) = (row.byte()?, row.position()?, row.number32()?);
        let time = Some(row.number()?).filter(|&time| time > 0);
        let held = if flags & FORGOTTEN == 0 {
            let (since, len) = (row.number()?, row.number()?);
            let from = String::from_utf8(row.take(usize::try_from(len).ok()?)?.to_vec()).ok()?;
            let kind = row.byte()?;
            let hold = Hold::from_parts(kind, row.rest())?;
            Some(HeldOp { hold, needed: flags & NEEDED != 0, since, from })
        } else {
            None
        };
        Some(HeldRow { position, held, missing, followed: flags & FOLLOWED != 0, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;

    #[test]
    fn rows_survive_bytes() {
        let position = Position { segment: 1, offset: 2, len: 3 };
        let held = |hold, needed| Some(HeldOp { hold, needed, since: 9, from: "peer".to_owned() });
        for held in [
            None,
            held(Hold::Missing, true),
            held(Hold::Identity(Hash::of(b"x")), false),
            held(Hold::Refused { reason: "it is forged".to_owned() }, true),
        ] {
            for (followed, time, missing) in [(true, None, 0), (false, Some(7), 300)] {
                let row = HeldRow { position, held: held.clone(), missing, followed, time };
                assert_eq!(HeldRow::from_bytes(&row.to_bytes()), Some(row));
            }
        }
    }
}
