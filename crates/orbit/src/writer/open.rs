use crate::{
    DatabaseId, DatabaseSpec, Hash, ReadDocuments as _, ReadError, Writer, journal_op::JournalOp, limits::MAX_WRITTEN,
};
use debros_core::DagCborError;
use debros_ipfs::ApplyError;

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenDatabaseError {
    /// It is open, in another family or with another tag.
    #[error(
        "the database `{name}` is open on this node in the family `{family}`; open it with the same family and tag, or give it another name"
    )]
    Differs {
        /// Its name.
        name: String,
        /// The family in which it is open.
        family: String,
    },
    /// Nobody could write.
    #[error(
        "nobody may write the database `{0}`: its access list is empty; name at least one user, or `*` for everyone"
    )]
    NoWriters(String),
    /// Name or access list are too long for a block.
    #[error("the name or the access list of the database `{0}` is too long: each has to fit a block of 1 MiB")]
    TooLarge(String),
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

impl Writer<'_> {
    /// Opens a database: the first time, it gets its number on this node, and its manifest and access list become
    /// blocks. Opening it again does nothing. So does every node, and all get the same address.
    ///
    /// # Errors
    /// If it is open in another family or with another tag, nobody may write it, or its name or list is too long.
    pub fn open(&mut self, spec: &DatabaseSpec) -> Result<DatabaseId, OpenDatabaseError> {
        let list = spec.access.list();
        if list.write.is_empty() {
            return Err(OpenDatabaseError::NoWriters(spec.name.clone()));
        }
        let manifest = spec.manifest()?.to_bytes()?;
        let hash = Hash::of(&manifest);
        if let Some(open) = self.at(&crate::Address::of(hash))? {
            if open.spec.family != spec.family || open.spec.tag != spec.tag {
                let family = open.spec.family.clone();
                return Err(OpenDatabaseError::Differs { name: spec.name.clone(), family });
            }
            return Ok(open.id);
        }
        let list = list.to_bytes();
        if list.len() > MAX_WRITTEN || manifest.len() > MAX_WRITTEN {
            return Err(OpenDatabaseError::TooLarge(spec.name.chars().take(80).collect()));
        }
        match spec.access.controller() {
            Some(controller) => {
                self.open(&controller)?;
            }
            // many databases share a list
            None => {
                let list_hash = Hash::of(&list);
                if self.block(&list_hash)?.is_none() {
                    self.job.add_block(list_hash.cid(), list);
                }
            }
        }
        if self.block(&hash)?.is_none() {
            self.job.add_block(hash.cid(), manifest);
        }
        let id = DatabaseId(crate::state::next_database(self.job.as_state()).map_err(ReadError::from)?);
        let op = JournalOp::DatabaseOpened { id, manifest: hash, spec: spec.clone() };
        self.job.journal(op.to_bytes())?;
        Ok(id)
    }
}
