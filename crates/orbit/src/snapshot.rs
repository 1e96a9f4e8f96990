//! [`Snapshot`]: the databases of a node at one moment.

use crate::{
    ReadError,
    read::Readable,
    state::{Core, READY},
};
use debros_ipfs::ReadState;
use std::sync::Arc;

/// The databases of a node as they were at one moment: everything that was answered before, whole. A cheap clone; read
/// it with [`ReadDocuments`](crate::ReadDocuments).
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) state: debros_ipfs::Snapshot,
    pub(crate) core: Arc<Core>,
}

impl Snapshot {
    /// Is there an entry that is held back and can be judged again?
    pub(crate) fn has_ready(&self) -> Result<bool, ReadError> {
        Ok(self.state.scan(READY, &[], None, false).next().transpose()?.is_some())
    }
}

impl Readable for Snapshot {
    fn state(&self) -> &dyn ReadState {
        &self.state
    }
    fn core(&self) -> &Core {
        &self.core
    }
    fn is_committed(&self) -> bool {
        true
    }
}
