//! [`Snapshot`]: the databases of a node at one moment.

#[cfg(feature = "kubo")]
use crate::{
    Address, DatabaseInfo, Hash,
    state::{database_with, held, is_dropped, known},
};
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

    /// Was the database with this address dropped, and not opened again? Not, if it was never here.
    #[cfg(feature = "kubo")]
    pub(crate) fn is_dropped(&self, address: &Address) -> Result<bool, ReadError> {
        let database = database_with(&self.state, address)?;
        Ok(database.map(|database| is_dropped(&self.state, database)).transpose()? == Some(true))
    }

    /// Is this entry in the log of a database, or held back there?
    #[cfg(feature = "kubo")]
    pub(crate) fn is_known(&self, info: &DatabaseInfo, entry: &Hash) -> Result<bool, ReadError> {
        let log = self.core.log(&self.state, info.id)?;
        let known = known(&self.core, &self.state, &log, info, entry)?.is_some();
        Ok(known || held(&self.state, info.id, entry)?.is_some())
    }

    /// Is one of these entries neither in the log of a database nor held back there?
    #[cfg(feature = "kubo")]
    pub(crate) fn lacks_any(&self, info: &DatabaseInfo, entries: &[Hash]) -> Result<bool, ReadError> {
        for entry in entries {
            if !self.is_known(info, entry)? {
                return Ok(true);
            }
        }
        Ok(false)
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
