//! [`Effect`]: what an entry did to what its key holds.

use debros_ipfs::Position;

/// What an entry did to what its key holds when it joined the log, or when its payload could be read. The operations of the
/// journal carry it: it depends on all that was there before, so that later it could be told again only by deriving state
/// anew. Nothing is derived from it, so it stays what it was under the schema of then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) did: Did,
    /// It was written on this node.
    pub(crate) local: bool,
}

/// What an entry did to what its key holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Did {
    /// Nothing: it lost against what was there, deletes what was not, was refused, means nothing, or cannot be read yet.
    #[default]
    Nothing,
    /// The key holds it, in place of the entry at this position, if there was one.
    Put(Option<Position>),
    /// The key holds nothing any more, and held the entry at this position.
    Deleted(Position),
}

const LOCAL: u8 = 1;
const PUT: u8 = 2;
const DELETED: u8 = 4;

impl Effect {
    /// One byte, and the position of what was there before.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let (did, former) = match self.did {
            Did::Nothing => (0, None),
            Did::Put(former) => (PUT, former),
            Did::Deleted(former) => (DELETED, Some(former)),
        };
        let mut bytes = vec![did | if self.local { LOCAL } else { 0 }];
        bytes.extend(former.iter().flat_map(|former| former.to_bytes()));
        bytes
    }

    /// Reads what [`Effect::to_bytes`] wrote; `None` where that is nothing it writes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Effect> {
        let (flags, former) = bytes.split_first()?;
        let former = match former {
            [] => None,
            former => Some(Position::from_bytes(former)?),
        };
        let did = match (flags & !LOCAL, former) {
            (0, None) => Did::Nothing,
            (PUT, former) => Did::Put(former),
            (DELETED, Some(former)) => Did::Deleted(former),
            _ => return None,
        };
        Some(Effect { did, local: flags & LOCAL != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_survive_bytes_and_nothing_else_is_one() {
        let former = Position { segment: 3, offset: 99, len: 7 };
        for did in [Did::Nothing, Did::Put(None), Did::Put(Some(former)), Did::Deleted(former)] {
            for local in [false, true] {
                let effect = Effect { did, local };
                assert_eq!(Effect::from_bytes(&effect.to_bytes()), Some(effect));
            }
        }
        let long = Effect { did: Did::Put(Some(former)), local: true }.to_bytes();
        let mut nothing = long.clone();
        nothing[0] = LOCAL;
        for bytes in [&[][..], &[4], &[6], &[8], &long[..12], &[&long[..], &[0]].concat(), &nothing] {
            assert_eq!(Effect::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
