//! [`Node`]: the databases in one data folder.

use crate::{
    AccessController, Address, DatabaseId, DropDatabaseError, Encryption, Hash, Identity, JoinError, Keystore,
    KeystoreError, Limits, ReadDocuments as _, ReadError, Receipt, ReclaimError, Reclaimed, Schema, Snapshot, Writer,
    reclaimer::Reclaimer,
    state::{Core, Replay},
    tender::Tender,
    turns::Turns,
    verifier::Verifier,
};
use debros_ipfs::{CommitError, Durability, Report, Store, StoreError, StoreOptions};
use std::{collections::HashMap, fmt, path::Path, sync::Arc};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// So many rows are taken away in one write.
const DROPPED_AT_ONCE: u32 = 512;
/// So many payloads are read in one write.
const SEALED_AT_ONCE: usize = 512;

/// How a node works.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct NodeOptions {
    /// How the store below works.
    pub store: StoreOptions,
    /// How many further ancestors an entry that is written here names in `refs`, beside those that it follows.
    /// JavaScript's default is 16, with which an entry takes twice the space; ours is 0, which every JavaScript peer
    /// reads. Other nodes do not need the same number.
    pub references: usize,
    /// What is taken from others.
    pub limits: Limits,
    /// Rules of the application's own that say who may write: see [`AccessSpec::Custom`](crate::AccessSpec).
    pub controllers: Vec<Arc<dyn AccessController>>,
    /// How databases are encrypted, by their address; others are plain. Keys are not stored: give them each time, and
    /// before the folder is opened, as what they are needed for may have to be read then.
    pub encryptions: HashMap<Address, Encryption>,
}

impl fmt::Debug for NodeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers: Vec<&str> = self.controllers.iter().map(|rule| rule.kind()).collect();
        let mut debug = f.debug_struct("NodeOptions");
        debug.field("store", &self.store).field("references", &self.references).field("limits", &self.limits);
        debug.field("controllers", &controllers).field("encryptions", &self.encryptions).finish()
    }
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
    /// What is encrypted could not be read with a key that was given.
    #[error(transparent)]
    Encrypted(#[from] ReceiveError),
    /// State could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What was being dropped could not be.
    #[error("a database that was being dropped could not be: {0}")]
    Drop(#[source] Box<CommitError<DropDatabaseError>>),
    /// A thread could not be started.
    #[error("a thread of the node could not be started: {0}")]
    Thread(std::io::Error),
}

/// Why nothing was taken of what was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// State could not be read or changed; or there is no such database.
    #[error(transparent)]
    Join(JoinError),
    /// The local store failed, or was closed.
    #[error("what was received could not be stored: {0}")]
    Commit(Box<dyn std::error::Error + Send + Sync>),
}

impl From<CommitError<JoinError>> for ReceiveError {
    fn from(error: CommitError<JoinError>) -> ReceiveError {
        match error {
            CommitError::Job(error) => ReceiveError::Join(error),
            other => ReceiveError::Commit(Box::new(other)),
        }
    }
}

/// The databases in one data folder, and the private keys that write them. A cheap clone.
#[derive(Clone)]
pub struct Node {
    store: Store,
    core: Arc<Core>,
    keystore: Arc<Keystore>,
    verifier: Arc<Verifier>,
    tender: Arc<Tender>,
    reclaimer: Arc<Reclaimer>,
    /// The order in which deliveries came.
    turns: Arc<Turns>,
    references: usize,
    #[cfg(feature = "rendezvous")]
    lists: Arc<crate::rendezvous::AcceptedLists>,
}

impl Node {
    /// Opens a data folder, which is made if it is missing. Blocks while state is replayed or rebuilt.
    ///
    /// # Errors
    /// If the folder is in use, of a newer format, damaged where state needs it, or cannot be read or written.
    pub fn open(dir: &Path, options: NodeOptions, schema: Arc<dyn Schema>) -> Result<Node, OpenError> {
        let core =
            Arc::new(Core::new(schema, options.limits.clone(), &options.controllers, options.encryptions.clone()));
        // first the store: it makes the folder, and locks it
        let store = Store::open(dir, options.store, Arc::new(Replay { core: core.clone() }))?;
        let keystore = Arc::new(Keystore::open(&dir.join("keys"))?);
        let tender = Tender::start(store.clone(), core.clone()).map_err(OpenError::Thread)?;
        let reclaimer = Arc::new(Reclaimer::start(store.clone()).map_err(OpenError::Thread)?);
        let verifier = Arc::new(Verifier::new(options.limits));
        let (tender, turns, references) = (Arc::new(tender), Arc::default(), options.references);
        let node = Node {
            store,
            core,
            keystore,
            verifier,
            tender,
            reclaimer,
            turns,
            references,
            #[cfg(feature = "rendezvous")]
            lists: Arc::new(crate::rendezvous::AcceptedLists::of(dir)),
        };
        // what became ready before the node was closed
        if node.snapshot().map_err(ReadError::from)?.has_ready()? {
            node.tender.call();
        }
        let dropping = crate::state::dropping(&node.snapshot().map_err(ReadError::from)?.state);
        for database in dropping.map_err(ReadError::from)? {
            match futures::executor::block_on(node.drop_database(database)) {
                // what its rows are may take a key that was not given: it goes on when it is dropped with that
                Ok(()) | Err(CommitError::Job(_)) => {}
                Err(error) => return Err(OpenError::Drop(Box::new(error))),
            }
        }
        // what was not given back before the node was closed
        node.reclaimer.call();
        for address in options.encryptions.keys() {
            let database = node.snapshot().map_err(ReadError::from)?.at(address)?;
            if let Some(info) = database {
                futures::executor::block_on(node.read_sealed(info.id))?;
            }
        }
        Ok(node)
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

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The rendezvous lists that were accepted.
    #[cfg(feature = "rendezvous")]
    pub(crate) fn lists(&self) -> &crate::rendezvous::AcceptedLists {
        &self.lists
    }

    #[cfg(feature = "network")]
    pub(crate) fn core(&self) -> &Core {
        &self.core
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
        let (core, references, tender) = (self.core.clone(), self.references, self.tender.caller());
        self.store.commit(durability, move |group| {
            let result = job(&mut Writer::new(group, &core, references));
            if core.take_ready() {
                tender.call();
            }
            result
        })
    }

    /// Takes what came from a peer: `identities` that its entries name, and `entries` of a database, in any order. What
    /// can be checked of an entry by itself is checked on all cores, beside other writes; then those that may join do,
    /// in one commit, and others are held back ([`Hold`](crate::Hold), [`ReadDocuments::held`](crate::ReadDocuments)).
    /// An entry that is held back is judged again, by itself, when what it lacked arrives. Each signature is checked
    /// once.
    ///
    /// Several can be on their way at once: they are taken in the order in which they were begun, unless so much is waiting
    /// that the store's queue is full.
    ///
    /// `from` names the peer, in what is told of entries that are held back.
    ///
    /// # Errors
    /// If the store fails, or there is no such database. Nothing is taken then.
    pub async fn receive(
        &self,
        database: DatabaseId,
        from: &str,
        identities: Vec<Vec<u8>>,
        entries: Vec<Vec<u8>>,
    ) -> Result<Receipt, ReceiveError> {
        let info = self.snapshot().map_err(ReadError::from).and_then(|snapshot| snapshot.info(database));
        let info = info.map_err(|error| ReceiveError::Join(error.into()))?;
        let mut turn = self.turns.take();
        let received = self.verifier.look(entries, self.core.encryption(&info.address)).await;
        turn.wait().await;
        let from = from.to_owned();
        let taken = self.write(Durability::Local, move |writer| {
            // who may not write is kept as long as there is room for what they wrote; and what cannot be opened may name anyone
            let mut sealed = received.iter().filter(|entry| entry.is_sealed()).count();
            let mut bad = add_identities(writer, &identities, |writer, hash, identity| {
                if received.iter().any(|entry| entry.names(hash)) {
                    return writer.has_room_for(database, identity);
                }
                let taken = sealed > 0;
                sealed = sealed.saturating_sub(1);
                Ok(taken)
            })?;
            let mut receipt = writer.receive(database, received, &from)?;
            receipt.not_kept.append(&mut bad);
            Ok(receipt)
        });
        // it is queued, if there is room
        drop(turn);
        Ok(taken.await?)
    }

    /// Adds identities of others for which entries wait, and which can join then; others are not kept. Gives those that are none, or forged, and why.
    ///
    /// # Errors
    /// If the store fails. None is added then.
    pub async fn add_identities(&self, identities: Vec<Vec<u8>>) -> Result<Vec<(Hash, JoinError)>, ReceiveError> {
        Ok(self
            .write(Durability::Local, move |writer| add_identities(writer, &identities, |_, _, _| Ok(false)))
            .await?)
    }

    /// Says how a database is encrypted: entries that are written from now on are, and what could not be read until now
    /// is. The key is not stored, see [`NodeOptions::encryptions`].
    ///
    /// # Errors
    /// If the store fails, or there is no such database.
    pub async fn set_encryption(&self, database: DatabaseId, encryption: Encryption) -> Result<(), ReceiveError> {
        let info = self.snapshot().map_err(ReadError::from).and_then(|snapshot| snapshot.info(database));
        let info = info.map_err(|error| ReceiveError::Join(error.into()))?;
        self.core.set_encryption(info.address, encryption);
        self.read_sealed(database).await
    }

    /// How a database is encrypted.
    #[cfg(any(feature = "kubo", feature = "network"))]
    pub(crate) fn encryption(&self, database: &Address) -> Encryption {
        self.core.encryption(database)
    }

    async fn read_sealed(&self, database: DatabaseId) -> Result<(), ReceiveError> {
        // in pieces, between the writes of others
        while self.write(Durability::Local, move |writer| writer.read_sealed(database, SEALED_AT_ONCE)).await? > 0 {}
        Ok(())
    }

    /// Has the entries of a database that are held back for want of a right judged again, when an
    /// [`AccessController`] decides otherwise now. After a grant or a revocation it happens by itself.
    ///
    /// # Errors
    /// If the store fails, or there is no such database.
    pub async fn judge_again(&self, database: DatabaseId) -> Result<(), ReceiveError> {
        Ok(self.write(Durability::Local, move |writer| writer.judge_rights_again(database)).await?)
    }

    /// Drops a database: from the first moment its log is empty and it is not among those of its family, then its rows are
    /// taken away, in many small writes between those of others; if that is interrupted, it goes on when the node is opened
    /// again, or this is called again. If it is encrypted, its key must be at hand. What others are made of is not touched. It
    /// can be opened again, and what others have of it be received again.
    ///
    /// The room of its blocks on the disk is given back by itself, where they are a good part of a segment, and of all of them by
    /// [`Node::reclaim`]. Until then they are given to whoever asks for them by their CIDs.
    ///
    /// # Errors
    /// If the store fails, there is no such database, or it says who may write others.
    pub async fn drop_database(&self, database: DatabaseId) -> Result<(), CommitError<DropDatabaseError>> {
        self.drop_databases(vec![database]).await
    }

    /// Drops several databases, which begins in one write: a crash leaves none of them, or all as they were.
    ///
    /// # Errors
    /// As [`Node::drop_database`].
    pub async fn drop_databases(&self, databases: Vec<DatabaseId>) -> Result<(), CommitError<DropDatabaseError>> {
        let all = databases.clone();
        let begun = move |writer: &mut Writer<'_>| all.iter().try_for_each(|database| writer.drop_database(*database));
        self.write(Durability::Local, begun).await?;
        for database in databases {
            while self.write(Durability::Buffered, move |writer| writer.drop_rows(database, DROPPED_AT_ONCE)).await? {}
        }
        self.reclaimer.call();
        Ok(())
    }

    /// Gives the room of all databases that were dropped back to the disk. It is given back by itself where they are at least a
    /// quarter of a segment file; this takes out what is left, however little. Each file that has something of them is written
    /// anew, beside reading and writing; a crash leaves it as it was, or as it will be.
    ///
    /// Waits until all snapshots are gone that were taken before, as they may still need what was dropped: let go of yours first.
    ///
    /// # Errors
    /// If a segment is damaged, or there is no room to write it anew: then it is as it was, or as it was to be. If the node was closed.
    pub async fn reclaim(&self) -> Result<Reclaimed, ReclaimError> {
        self.reclaimer.all().await
    }

    /// Tells when something was committed, by whom ever.
    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.store.commits()
    }

    /// Waits until every entry for which something has changed was judged again.
    pub async fn settle(&self) {
        self.tender.idle().await;
    }

    /// The databases as they are now.
    ///
    /// # Errors
    /// If the node was closed.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { state: self.store.snapshot()?, core: self.core.clone() })
    }

    /// The same, once everything in it is on the disk, so that peers may be told of it.
    #[cfg(feature = "network")]
    pub(crate) async fn durable_snapshot(&self) -> Result<Snapshot, CommitError<StoreError>> {
        Ok(Snapshot { state: self.store.durable_snapshot().await?, core: self.core.clone() })
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
        self.tender.end();
        self.reclaimer.end();
        self.store.close().await
    }
}

/// Adds those identities that something names. Gives those that are none.
fn add_identities(
    writer: &mut Writer<'_>,
    identities: &[Vec<u8>],
    mut named: impl FnMut(&Writer<'_>, &Hash, &[u8]) -> Result<bool, JoinError>,
) -> Result<Vec<(Hash, JoinError)>, JoinError> {
    let mut bad = Vec::new();
    for identity in identities {
        let hash = Hash::of(identity);
        if !writer.is_waited_for_identity(&hash)? && !named(writer, &hash, identity)? {
            continue;
        }
        match writer.add_identity(identity) {
            Ok(_) => {}
            Err(error @ (JoinError::Read(_) | JoinError::Apply(_))) => return Err(error),
            // what names it stays without it, and is held back
            Err(error) => bad.push((hash, error)),
        }
    }
    Ok(bad)
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("keystore", &self.keystore).finish_non_exhaustive()
    }
}
