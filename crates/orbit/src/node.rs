//! [`Node`]: the databases in one data folder.

use crate::{
    Identity, Keystore, KeystoreError, Schema, Snapshot, Writer,
    state::{Core, Replay},
};
use debros_ipfs::{CommitError, Durability, Report, Store, StoreError, StoreOptions};
use std::{fmt, path::Path, sync::Arc};
use zeroize::Zeroizing;

/// How a node works.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NodeOptions {
    /// How the store below works.
    pub store: StoreOptions,
    /// How many further ancestors an entry that is written here names in `refs`, beside those that it follows.
    /// JavaScript's default is 16, with which an entry takes twice the space; ours is 0, which every JavaScript peer
    /// reads. Other nodes do not need the same number.
    pub references: usize,
}

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] debros_ipfs::OpenError),
    /// The private keys.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

/// The databases in one data folder, and the private keys that write them. A cheap clone.
#[derive(Clone)]
pub struct Node {
    store: Store,
    core: Arc<Core>,
    keystore: Arc<Keystore>,
    references: usize,
}

impl Node {
    /// Opens a data folder, which is made if it is missing. Blocks while state is replayed or rebuilt.
    ///
    /// # Errors
    /// If the folder is in use, of a newer format, damaged where state needs it, or cannot be read or written.
    pub fn open(dir: &Path, options: NodeOptions, schema: Arc<dyn Schema>) -> Result<Node, OpenError> {
        let core = Arc::new(Core::new(schema));
        // first the store: it makes the folder, and locks it
        let store = Store::open(dir, options.store, Arc::new(Replay { core: core.clone() }))?;
        let keystore = Arc::new(Keystore::open(&dir.join("keys"))?);
        Ok(Node { store, core, keystore, references: options.references })
    }

    /// The identity of this name, whose keys are made the first time.
    ///
    /// # Errors
    /// See [`Keystore::identity`].
    pub fn identity(&self, name: &str) -> Result<Identity, KeystoreError> {
        self.keystore.identity(name)
    }

    /// Makes a user of another device a user here; `key` is what [`Node::export_identity`] gave.
    ///
    /// # Errors
    /// See [`Keystore::import`].
    pub fn import_identity(&self, name: &str, key: &[u8]) -> Result<Identity, KeystoreError> {
        self.keystore.import(name, key)
    }

    /// The user's key of this name as text, to be kept safe or carried to another device. Whoever has it is that user.
    ///
    /// # Errors
    /// See [`Keystore::user_key`].
    pub fn export_identity(&self, name: &str) -> Result<Zeroizing<String>, KeystoreError> {
        Ok(self.keystore.user_key(name)?.export())
    }

    #[cfg(feature = "kubo")]
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The private keys of the data folder.
    pub fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    /// Runs a write, which is one commit: everything that `job` does becomes visible and durable at once, or, if it
    /// gives an error or panics, nothing. Writes run one after the other; this one is queued when the function is
    /// called, and done when the future is.
    ///
    /// # Errors
    /// [`CommitError::Job`] is the job's own; the others are the store's.
    pub fn write<T, E, F>(
        &self,
        durability: Durability,
        job: F,
    ) -> impl Future<Output = Result<T, CommitError<E>>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Writer<'_>) -> Result<T, E> + Send + 'static,
    {
        let (core, references) = (self.core.clone(), self.references);
        self.store.commit(durability, move |group| job(&mut Writer::new(group, &core, references)))
    }

    /// The databases as they are now.
    ///
    /// # Errors
    /// If the node was closed.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { state: self.store.snapshot()?, core: self.core.clone() })
    }

    /// Checks every block, derives state anew from the log and compares. Blocks, for as long as reading everything
    /// takes.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn verify(&self) -> Result<Report, StoreError> {
        self.store.verify()
    }

    /// Ends the node: what was written is durable, tasks are ended, files released. Clones of it, and snapshots, give
    /// errors from then on.
    ///
    /// # Errors
    /// If something could not be made durable.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("keystore", &self.keystore).finish_non_exhaustive()
    }
}
