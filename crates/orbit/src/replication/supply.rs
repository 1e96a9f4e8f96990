use super::{
    clocks::Clocks,
    difference::Difference,
    message::{MAX_ENTRIES, Message, TOGETHER},
};
use crate::{DatabaseInfo, Hash, Snapshot, state::StateError};
use debros_ipfs::ReadState as _;
use std::sync::{Arc, atomic::AtomicBool};

/// What a peer lacks that is still to be sent, older entries first.
#[derive(Default)]
pub(super) struct Supply {
    rest: Difference,
    /// Which identities were sent.
    sent: Vec<bool>,
}

impl Supply {
    /// To a peer with these heads and clocks, of what `lacks` stand for. Finding it out is given up when `stop` is set.
    pub(super) fn of(
        snapshot: &Snapshot,
        info: &Arc<DatabaseInfo>,
        lacks: &[Hash],
        theirs: &[Hash],
        clocks: &Clocks,
        stop: &AtomicBool,
    ) -> Result<Supply, StateError> {
        let rest = Difference::of(snapshot, info, lacks, theirs, clocks, stop)?;
        let sent = vec![false; rest.identities.len()];
        Ok(Supply { rest, sent })
    }

    /// The next message, out of the log as it is now: what is in a log stays there. `None` at the end.
    pub(super) fn next(&mut self, snapshot: &Snapshot) -> Result<Option<Message>, StateError> {
        let state = &snapshot.state;
        let (mut identities, mut entries, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some((position, number)) = self.rest.entries.front()
            && entries.len() < MAX_ENTRIES
        {
            let entry = state.block_at(*position)?;
            let number = number.map(|number| number as usize).filter(|&number| !self.sent[number]);
            let identity = match number {
                Some(number) => state.block(&self.rest.identities[number].cid())?.map(|(_, block)| (number, block)),
                None => None,
            };
            let more = entry.len() + identity.as_ref().map_or(0, |(_, block)| block.len());
            if bytes > 0 && bytes + more > TOGETHER {
                break;
            }
            bytes += more;
            entries.push(entry.to_vec());
            if let Some((number, block)) = identity {
                self.sent[number] = true;
                identities.push(block.to_vec());
            }
            self.rest.entries.pop_front();
        }
        Ok((!entries.is_empty()).then_some(Message::Entries { identities, entries }))
    }
}
