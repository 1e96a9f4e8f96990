use super::{
    clocks::Clocks,
    difference::{Difference, Lacked},
    message::{MAX_ENTRIES, Message, TOGETHER},
};
use crate::{DatabaseInfo, Hash, Snapshot, state::StateError};
use debros_ipfs::ReadState as _;
use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

/// What a peer lacks that is still to be sent, older entries first.
pub(super) struct Supply {
    snapshot: Snapshot,
    lacked: VecDeque<Lacked>,
    /// The identities that were sent.
    sent: HashSet<Hash>,
}

impl Supply {
    /// To a peer with these heads and clocks, of what `lacks` stand for.
    pub(super) fn of(
        snapshot: Snapshot,
        info: &Arc<DatabaseInfo>,
        lacks: &[Hash],
        theirs: &[Hash],
        clocks: &Clocks,
    ) -> Result<Supply, StateError> {
        let lacked = Difference::of(&snapshot, info, lacks, theirs, clocks)?;
        Ok(Supply { snapshot, lacked, sent: HashSet::new() })
    }

    /// The next message; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Message>, StateError> {
        let state = &self.snapshot.state;
        let (mut identities, mut entries, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(lacked) = self.lacked.front()
            && entries.len() < MAX_ENTRIES
        {
            let entry = state.block_at(lacked.position)?;
            let identity = match lacked.identity.filter(|identity| !self.sent.contains(identity)) {
                Some(identity) => state.block(&identity.cid())?.map(|(_, block)| (identity, block)),
                None => None,
            };
            let more = entry.len() + identity.as_ref().map_or(0, |(_, block)| block.len());
            if bytes > 0 && bytes + more > TOGETHER {
                break;
            }
            bytes += more;
            entries.push(entry.to_vec());
            if let Some((hash, block)) = identity {
                self.sent.insert(hash);
                identities.push(block.to_vec());
            }
            self.lacked.pop_front();
        }
        Ok((!entries.is_empty()).then_some(Message::Entries { identities, entries }))
    }
}
