use crate::{
    DatabaseInfo, Hash, Snapshot,
    state::{CLOCKS, StateError, clock_at, key_of, past},
};
use debros_ipfs::ReadState as _;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

/// So many are told at most.
pub(super) const MAX_CLOCKS: usize = 1024;

/// Of identities, the time up to which everything that they wrote is in a log, with everything behind it: a device writes its
/// entries one after the other, each on those before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clocks {
    pub(super) times: HashMap<Hash, u64>,
    /// Are these all that there are?
    pub(super) whole: bool,
}

impl Clocks {
    /// The clocks of a log; of one by more than [`MAX_CLOCKS`], the latest, as what is told has to be bounded.
    pub(super) fn of(snapshot: &Snapshot, database: &DatabaseInfo) -> Result<Clocks, StateError> {
        let (core, state) = (&snapshot.core, &snapshot.state);
        let prefix = key_of(database.id, &[]);
        let mut latest = BinaryHeap::new();
        let mut whole = true;
        for row in state.scan(CLOCKS, &prefix, past(&prefix).as_deref(), false) {
            let (key, time) = row?;
            let number = key.get(4..).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes);
            let number = number.ok_or_else(|| StateError::Broken("a key of `clocks` is too short".to_owned()))?;
            latest.push(Reverse((clock_at(Some(&time))?.unwrap_or(0), number)));
            if latest.len() > MAX_CLOCKS {
                latest.pop();
                whole = false;
            }
        }
        let clock = |Reverse((time, number))| Ok((core.author(state, number)?.hash, time));
        Ok(Clocks { times: latest.into_iter().map(clock).collect::<Result<_, StateError>>()?, whole })
    }

    /// Is what this identity wrote at this time in the log?
    pub(super) fn covers(&self, identity: &Hash, time: u64) -> bool {
        self.times.get(identity).is_some_and(|last| time <= *last)
    }
}
