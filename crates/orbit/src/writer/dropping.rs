use crate::{
    DatabaseId, ReadError, Writer,
    journal_op::JournalOp,
    state::{PROTECTED, Stage, StateError, dropped, is_dropped, key_of, past},
};
use debros_core::DagCborError;
use debros_ipfs::ApplyError;

/// Why a database was not dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DropDatabaseError {
    /// Its rows say who may write others.
    #[error("the database `{0}` says who may write others that are here, so it has to stay")]
    Protects(String),
    /// There is no manifest for it.
    #[error("there is no manifest for this database: {0}")]
    Manifest(#[from] DagCborError),
    /// State could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// State could not be changed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<StateError> for DropDatabaseError {
    fn from(error: StateError) -> DropDatabaseError {
        DropDatabaseError::Read(error.into())
    }
}

impl Writer<'_> {
    /// Begins to drop a database, whose rows are then taken away by [`Writer::drop_rows`]. Nothing, if it was.
    pub(crate) fn drop_database(&mut self, database: DatabaseId) -> Result<(), DropDatabaseError> {
        let info = self.database_info(database)?;
        if is_dropped(self.job.as_state(), database)? {
            return Ok(());
        }
        let protects = key_of(database, &[]);
        for row in self.job.scan(PROTECTED, &protects, past(&protects).as_deref(), false) {
            let (key, _) = row.map_err(StateError::from)?;
            let number = key.get(4..).and_then(|number| number.first_chunk());
            let protected = number.map(|number| DatabaseId(u32::from_be_bytes(*number)));
            if protected.map(|id| is_dropped(self.job.as_state(), id)).transpose()? != Some(true) {
                return Err(DropDatabaseError::Protects(info.spec.name.clone()));
            }
        }
        // the manifest stays at hand, and says where in the segments the log ends
        let block = self.job.add_block(info.address.manifest().cid(), info.spec.manifest()?.to_bytes()?);
        self.job.journal(JournalOp::DatabaseDropped { database, block }.to_bytes())?;
        Ok(())
    }

    /// Takes away so many rows of a database that is being dropped. Whether there may be more.
    pub(crate) fn drop_rows(&mut self, database: DatabaseId, most: u32) -> Result<bool, DropDatabaseError> {
        if !self.is_dropping(database)? {
            return Ok(false);
        }
        self.job.journal(JournalOp::RowsDropped { database, most }.to_bytes())?;
        self.is_dropping(database)
    }

    fn is_dropping(&self, database: DatabaseId) -> Result<bool, DropDatabaseError> {
        Ok(dropped(self.job.as_state(), database)?.is_some_and(|dropped| dropped.stage == Stage::Dropping))
    }
}

#[cfg(test)]
mod tests {
    use crate::{DatabaseSpec, NoSchema, Node, NodeOptions, OpenDatabaseError, ReadDocuments as _};
    use debros_core::Map;
    use debros_ipfs::Durability;
    use futures::executor::block_on;
    use std::sync::Arc;

    #[test]
    fn what_was_interrupted_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
        let node = open();
        let me = node.identity("me").unwrap();
        let spec = DatabaseSpec::documents("notes", ["*"]);
        let to_open = spec.clone();
        let database = block_on(node.write(Durability::Local, move |writer| writer.open(&to_open))).unwrap();
        let filled = node.write(Durability::Local, move |writer| {
            for n in 0..20 {
                let record = Map::from_iter([("_id", debros_core::Value::from(format!("{n:02}")))]);
                writer.put(database, &me, record)?;
            }
            Ok::<_, crate::WriteError>(())
        });
        block_on(filled).unwrap();
        let more = node.write(Durability::Local, move |writer| {
            writer.drop_database(database)?;
            writer.drop_rows(database, 7)
        });
        assert!(block_on(more).unwrap());
        let rows = |node: &Node| node.snapshot().unwrap().scan_keys(database, &[], None, false).count();
        assert_eq!((rows(&node), node.snapshot().unwrap().entries(database).unwrap()), (13, 0));
        let to_open = spec.clone();
        let busy = block_on(node.write(Durability::Local, move |writer| writer.open(&to_open))).unwrap_err();
        assert!(matches!(busy, debros_ipfs::CommitError::Job(OpenDatabaseError::Dropping(_))), "{busy}");
        assert!(node.verify().unwrap().is_clean());
        block_on(node.close()).unwrap();
        drop(node);

        let node = open();
        assert_eq!(rows(&node), 0);
        assert!(node.snapshot().unwrap().find(&spec).unwrap().is_none());
        assert!(node.verify().unwrap().is_clean());
        assert_eq!(block_on(node.write(Durability::Local, move |writer| writer.open(&spec))).unwrap(), database);
    }
}
