use crate::{
    AccessAddress, AccessList, AccessListError, AccessSpec, Address, DatabaseId, DatabaseInfo, DatabaseSpec, Hash,
    Manifest, ManifestError, ReadDocuments as _, ReadError, Writer,
    journal_op::JournalOp,
    limits::MAX_WRITTEN,
    scanner::Scanner,
    state::{Stage, dropped},
};
use debros_core::{DagCborError, Value};
use debros_ipfs::ApplyError;
use std::sync::Arc;

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
    /// It is being dropped.
    #[error("the database `{0}` is being dropped; open it again when that is done")]
    Dropping(String),
    /// Nobody could write.
    #[error(
        "nobody may write the database `{0}`: its access list is empty; name at least one user, or `*` for everyone"
    )]
    NoWriters(String),
    /// Name or access list are too long for a block.
    #[error("the name or the access list of the database `{0}` is too long: each has to fit a block of 1 MiB")]
    TooLarge(String),
    /// A rule of an application's own that the node was not given.
    #[error(
        "who may write the database is decided by a rule of the type `{0}`, which this node was not given: add it to `NodeOptions::controllers`"
    )]
    NoController(String),
    /// The parameters of such a rule.
    #[error("the parameters of the access controller are no DAG-CBOR block: {0}")]
    Parameters(String),
    /// A block that is not here.
    #[error("the block {0}, of which the database is made, is not here; fetch it first")]
    Missing(Hash),
    /// A block that is no manifest.
    #[error(transparent)]
    NoManifest(#[from] ManifestError),
    /// A block that is no access list.
    #[error(transparent)]
    NoAccessList(#[from] AccessListError),
    /// The database that says who may write is none that JavaScript would make.
    #[error("the access database of `{0}` is no keyvalue database of its own with a list of admins")]
    NestedAccess(String),
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
        match &spec.access {
            AccessSpec::Ipfs { write: ids } | AccessSpec::Orbitdb { admins: ids, .. } if ids.is_empty() => {
                return Err(OpenDatabaseError::NoWriters(spec.name.clone()));
            }
            AccessSpec::Custom { kind, parameters } => self.check_custom(kind, parameters)?,
            _ => {}
        }
        let manifest = spec.manifest()?.to_bytes()?;
        let hash = Hash::of(&manifest);
        if let Some(open) = self.opened_before(&Address::of(hash))? {
            if open.spec.family != spec.family || open.spec.tag != spec.tag {
                let family = open.spec.family.clone();
                return Err(OpenDatabaseError::Differs { name: spec.name.clone(), family });
            }
            match dropped(self.job.as_state(), open.id).map_err(ReadError::from)?.map(|dropped| dropped.stage) {
                None | Some(Stage::Open) => {}
                Some(Stage::Dropping) => return Err(OpenDatabaseError::Dropping(spec.name.clone())),
                Some(Stage::Gone) => {
                    // what says who may write it may have been dropped, too
                    if let Some(controller) = spec.access.controller() {
                        self.open(&controller)?;
                    }
                    self.job.journal(JournalOp::DatabaseReopened { database: open.id }.to_bytes())?;
                }
            }
            return Ok(open.id);
        }
        let list = spec.access.block();
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

    /// The database with this address, also if it was dropped since.
    fn opened_before(&self, address: &Address) -> Result<Option<Arc<DatabaseInfo>>, ReadError> {
        let number = crate::state::database_with(self.job.as_state(), address)?;
        number.map(|database| self.info(database)).transpose()
    }

    fn check_custom(&self, kind: &str, parameters: &[u8]) -> Result<(), OpenDatabaseError> {
        if !AccessAddress::is_custom_kind(kind) || !self.core.controllers.contains_key(kind) {
            return Err(OpenDatabaseError::NoController(kind.chars().take(80).collect()));
        }
        Scanner::new(parameters).item().map_err(|e| OpenDatabaseError::Parameters(e.to_string()))?;
        Value::from_dag_cbor(parameters).map_err(|e| OpenDatabaseError::Parameters(e.to_string()))?;
        Ok(())
    }

    /// Opens a database of which only the address is known. Its manifest and what that names are read with `fetch`
    /// where they are not here: they have to be fetched first. It gets into this family, with this tag.
    ///
    /// # Errors
    /// As [`Writer::open`]; also if a block is missing, or is none of what it should be.
    pub fn open_address(
        &mut self,
        address: &Address,
        family: &str,
        tag: &[u8],
        fetch: impl Fn(&Hash) -> Option<Vec<u8>>,
    ) -> Result<DatabaseId, OpenDatabaseError> {
        if let Some(open) = self.opened_before(address)? {
            let spec = DatabaseSpec { family: family.to_owned(), tag: tag.to_vec(), ..open.spec.clone() };
            return self.open(&spec);
        }
        let block = |writer: &Self, hash: &Hash| -> Result<Vec<u8>, OpenDatabaseError> {
            if let Some(block) = writer.block(hash)? {
                return Ok(block.to_vec());
            }
            let block = fetch(hash).ok_or(OpenDatabaseError::Missing(*hash))?;
            if Hash::of(&block) == *hash { Ok(block) } else { Err(OpenDatabaseError::Missing(*hash)) }
        };
        let manifest = Manifest::decode(&block(self, &address.manifest())?)?;
        let list = |writer: &Self, hash: &Hash| -> Result<Vec<String>, OpenDatabaseError> {
            Ok(AccessList::decode(&block(writer, hash)?)?.write)
        };
        let access = match manifest.access {
            AccessAddress::Ipfs(hash) => AccessSpec::Ipfs { write: list(self, &hash)? },
            AccessAddress::Orbitdb(controller) => {
                let inner = Manifest::decode(&block(self, &controller.manifest())?)?;
                let AccessAddress::Ipfs(hash) = inner.access else {
                    return Err(OpenDatabaseError::NestedAccess(manifest.name));
                };
                AccessSpec::Orbitdb { name: inner.name, admins: list(self, &hash)? }
            }
            AccessAddress::Custom { kind, block: hash } => AccessSpec::Custom { parameters: block(self, &hash)?, kind },
        };
        let (family, tag) = (family.to_owned(), tag.to_vec());
        let spec = DatabaseSpec { name: manifest.name, kind: manifest.kind, access, family, tag, meta: manifest.meta };
        if spec.address()? != *address {
            return Err(OpenDatabaseError::NestedAccess(spec.name));
        }
        self.open(&spec)
    }
}
