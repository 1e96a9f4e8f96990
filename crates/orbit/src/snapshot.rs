//! [`Snapshot`]: the databases of a node at one moment.

use crate::{read::Readable, state::Core};
use debros_ipfs::ReadState;
use std::sync::Arc;

/// The databases of a node as they were at one moment: everything that was answered before, whole. A cheap clone; read
/// it with [`ReadDocuments`](crate::ReadDocuments).
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) state: debros_ipfs::Snapshot,
    pub(crate) core: Arc<Core>,
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
