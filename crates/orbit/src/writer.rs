//! [`Writer`]: a write to the databases of a node.

mod append;
mod dropping;
mod join;
mod open;
mod receive;
mod rights;

pub use append::WriteError;
pub use dropping::DropDatabaseError;
pub use join::JoinError;
pub use open::OpenDatabaseError;

use crate::{
    DatabaseId, DatabaseInfo, Hash, IdentityBlock, ReadDocuments, ReadError,
    frontier::Frontier,
    journal_op::JournalOp,
    read::Readable,
    state::{Author, Core, Job},
};
use debros_ipfs::{ApplyError, ReadState};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// A write to the databases of a node: see [`Node::write`](crate::Node::write). It reads what it has written so far,
/// with [`ReadDocuments`].
pub struct Writer<'w> {
    job: &'w mut dyn Job,
    core: &'w Core,
    references: usize,
    /// What was in logs when rights were revoked, as far as it was looked up for this write.
    frontiers: Vec<Frontier>,
    /// What this write has looked up before.
    databases: HashMap<DatabaseId, Arc<DatabaseInfo>>,
    authors: HashMap<Hash, Arc<Author>>,
    /// What it has written to.
    written: BTreeSet<DatabaseId>,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(job: &'w mut dyn Job, core: &'w Core, references: usize) -> Writer<'w> {
        let (databases, authors) = (HashMap::new(), HashMap::new());
        Writer { job, core, references, frontiers: Vec::new(), databases, authors, written: BTreeSet::new() }
    }

    pub(crate) fn with_frontiers(mut self, frontiers: Vec<Frontier>) -> Writer<'w> {
        self.frontiers = frontiers;
        self
    }

    /// The databases to which this write has appended so far.
    pub fn written(&self) -> impl Iterator<Item = DatabaseId> {
        self.written.iter().copied()
    }

    fn database_info(&mut self, database: DatabaseId) -> Result<Arc<DatabaseInfo>, ReadError> {
        if let Some(info) = self.databases.get(&database) {
            return Ok(info.clone());
        }
        let info = self.info(database)?;
        self.databases.insert(database, info.clone());
        Ok(info)
    }

    fn author(&mut self, identity: &Hash) -> Result<Option<Arc<Author>>, ReadError> {
        if let Some(author) = self.authors.get(identity) {
            return Ok(Some(author.clone()));
        }
        let author = self.core.author_of(self.job.as_state(), identity)?;
        if let Some(author) = &author {
            self.authors.insert(*identity, author.clone());
        }
        Ok(author)
    }

    /// Adds an identity whose signatures were checked, unless it is known.
    fn ensure_author(&mut self, hash: &Hash, block: &IdentityBlock) -> Result<Arc<Author>, WriteError> {
        if let Some(author) = self.author(hash)? {
            return Ok(author);
        }
        let index = self.job.add_block(hash.cid(), block.to_bytes());
        self.job.journal(JournalOp::IdentityAdded { block: index }.to_bytes())?;
        self.author(hash)?.ok_or_else(|| WriteError::Apply(ApplyError::refused("the identity was not added")))
    }
}

impl Readable for Writer<'_> {
    fn state(&self) -> &dyn ReadState {
        self.job.as_state()
    }
    fn core(&self) -> &Core {
        self.core
    }
    fn is_committed(&self) -> bool {
        false
    }
}
