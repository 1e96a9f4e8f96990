//! [`Kubo`]: a database's blocks in a Kubo daemon.

use crate::{Db, Identity, UnfollowError};
use debros_core::UserId;
use debros_orbit::{
    CatchUpError, CaughtUp, Hash, Manifest, ManifestError, NotAHash, NotAnAddress, ReadDocuments as _, ReadError,
    ShippingError, ShippingStatus,
};
use debros_shard::{DatabaseName, NotADatabaseName};
use std::time::Duration;

/// How long a block that is asked for by its name is waited for.
const BLOCK_WITHIN: Duration = Duration::from_secs(30);

/// A database's blocks in the Kubo daemon that it was opened with: [`Db::kubo`] gives it.
#[derive(Clone, Debug)]
pub struct Kubo {
    db: Db,
}

/// Why something was not had through the Kubo daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KuboReadError {
    /// The database was opened without a daemon.
    #[error(
        "this database was opened without a Kubo daemon: name one by `Db::builder(..).kubo(\"http://127.0.0.1:5001\")`"
    )]
    NoDaemon,
    /// The database was opened without replication through the daemon.
    #[error("this database is not replicated through its Kubo daemon: say `.kubo_peers(true)` when it is opened")]
    NoPeers,
    /// What is to be replicated cannot be opened here.
    #[error(transparent)]
    Open(Box<crate::WriteError>),
    /// A user's data was not taken away.
    #[error(transparent)]
    Unfollow(#[from] UnfollowError),
    /// A text that is no address of a database.
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    /// A text that is no name of a block.
    #[error(transparent)]
    Hash(#[from] NotAHash),
    /// The block of the database's address is none of a database.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The database is not one of debros.
    #[error(transparent)]
    Name(#[from] NotADatabaseName),
    /// The database is another application's, of a model that this one does not have, or of other admins.
    #[error(
        "the database {address} is `{name}`, which is none of this application: open the database with its name, all its models and the same admins"
    )]
    OtherApplication {
        /// The address.
        address: String,
        /// The name in its manifest.
        name: String,
    },
    /// What the daemon gives could not be taken over.
    #[error(transparent)]
    CatchUp(#[from] CatchUpError),
    /// The daemon does not take something.
    #[error(transparent)]
    Shipping(#[from] ShippingError),
    /// The local databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<crate::WriteError> for KuboReadError {
    fn from(error: crate::WriteError) -> KuboReadError {
        KuboReadError::Open(Box::new(error))
    }
}

impl Kubo {
    pub(crate) fn new(db: Db) -> Kubo {
        Kubo { db }
    }

    /// How it stands: whether the daemon is reachable, what is still to be sent, what went wrong last.
    pub fn status(&self) -> ShippingStatus {
        self.db.courier().map(|courier| courier.status()).unwrap_or_default()
    }

    /// Waits until the daemon holds and pins everything that was answered so far.
    ///
    /// # Errors
    /// If it does not within this time: [`NotPinned`](debros_orbit::NotPinned) tells why.
    pub async fn flush(&self, within: Duration) -> Result<(), crate::Error> {
        let courier = self.db.courier().ok_or(crate::WriteError::NoKubo)?;
        let snapshot = self.db.snapshot()?;
        Ok(courier.flushed(&snapshot, within).await.map_err(crate::WriteError::from)?)
    }

    /// Replicates the data of a user, that of all models, from now on, and whenever the folder is opened with
    /// [`kubo_peers`](crate::Builder::kubo_peers), until the user is [unfollowed](Kubo::unfollow).
    ///
    /// # Errors
    /// If the database is not replicated through its daemon, or the data cannot be opened here.
    pub async fn follow(&self, user: UserId) -> Result<(), KuboReadError> {
        self.db.kubo_replication().ok_or(KuboReadError::NoPeers)?;
        self.db.open_through_kubo(user).await
    }

    /// Replicates the data of a user no more, and takes it away: afterwards no query sees it, and the folder does not follow the user
    /// when it is opened again. It begins in one write, and goes on whether or not it is waited for. To follow the user again fetches it again. The global models stay as they are, with what the
    /// user wrote there.
    ///
    /// The rows go in small steps, and what was begun goes on when the folder is opened again. As soon as the daemon is there, its pins
    /// of the data are removed, and its garbage collection frees what nothing else pins; [`Kubo::flush`] waits for that. The room in
    /// the folder is given back in the background, see [`Db::reclaim`](crate::Db::reclaim).
    ///
    /// # Errors
    /// If the database is not replicated through its daemon, the user has an identity in this folder ([`UnfollowError::OwnUser`]), or the
    /// store fails.
    pub async fn unfollow(&self, user: UserId) -> Result<(), KuboReadError> {
        self.db.kubo_replication().ok_or(KuboReadError::NoPeers)?;
        Ok(self.db.drop_user(user).await?)
    }

    /// The root of everything that the daemon holds of a database (by its address, as [`Db::addresses`] gives it), as a CID. Whoever
    /// gets the address and this takes the database over by [`Kubo::catch_up`]. `None`, while nothing of the database is confirmed.
    ///
    /// # Errors
    /// If the text is no address, the databases cannot be read, or the daemon does not take the root.
    pub async fn root(&self, address: &str) -> Result<Option<String>, KuboReadError> {
        let courier = self.db.courier().ok_or(KuboReadError::NoDaemon)?;
        let snapshot = self.db.snapshot().map_err(ReadError::from)?;
        let Some(info) = snapshot.at(&address.parse()?)? else { return Ok(None) };
        Ok(courier.root(info.id).await?.map(|root| root.cid().to_string()))
    }

    /// Takes over a database that another data folder shipped, from its address and the root that [`Kubo::root`] gave there: the
    /// daemon fetches the blocks, from its own repository or from daemons that it is connected to. Every block is checked against its
    /// hash, and every entry as one of a peer; what is good joins the log here. It may be repeated, and gives what was new.
    ///
    /// # Errors
    /// If the database is none of this application, or the blocks cannot be had.
    pub async fn catch_up(&self, address: &str, root: &str) -> Result<CaughtUp, KuboReadError> {
        let courier = self.db.courier().ok_or(KuboReadError::NoDaemon)?;
        let address: debros_orbit::Address = address.parse()?;
        let root = hash(root)?;
        let manifest = courier.fetch(address.manifest(), BLOCK_WITHIN).await?;
        let manifest = Manifest::decode(&manifest.ok_or(CatchUpError::NotFound(address.manifest()))?)?;
        let name: DatabaseName = manifest.name.parse()?;
        let spec = self.db.stores().spec(&name);
        let spec = spec.filter(|spec| spec.address().is_ok_and(|derived| derived == address));
        let other = || KuboReadError::OtherApplication { address: address.to_string(), name: manifest.name.clone() };
        Ok(courier.catch_up(spec.ok_or_else(other)?, root).await?)
    }

    /// The bytes of a block, by its CID: from this folder, else from the daemon or whoever it asks; `None` if that does not find it
    /// within this time.
    ///
    /// # Errors
    /// If the text is no CID of a DAG-CBOR block, or the daemon cannot be asked.
    pub async fn block(&self, cid: &str, within: Duration) -> Result<Option<Vec<u8>>, KuboReadError> {
        let hash = hash(cid)?;
        let snapshot = self.db.snapshot().map_err(ReadError::from)?;
        if let Some(block) = snapshot.block(&hash)? {
            return Ok(Some(block.to_vec()));
        }
        let courier = self.db.courier().ok_or(KuboReadError::NoDaemon)?;
        Ok(courier.fetch(hash, within).await?.map(|block| block.to_vec()))
    }
}

impl Db {
    /// Replicates what is held here, and the global models.
    pub(crate) async fn join_kubo(&self) -> Result<(), KuboReadError> {
        if !self.has_joined() {
            self.open_of(None).await?;
        }
        Ok(self.replicate_through_kubo(&self.held()?).await?)
    }

    /// Replicates the data of a user of this device, so that it comes from their other ones.
    pub(crate) async fn take_through_kubo(&self, identity: &Identity) -> Result<(), KuboReadError> {
        match self.kubo_replication() {
            Some(_) if !self.has_joined() => self.open_through_kubo(identity.user()).await,
            _ => Ok(()),
        }
    }

    /// Opens the databases of a user, and replicates them.
    async fn open_through_kubo(&self, user: UserId) -> Result<(), KuboReadError> {
        let _alone = self.following().await;
        let opened = self.open_of(Some(user)).await?;
        self.replicate_through_kubo(&opened).await?;
        // that it cannot be told any more means that the database was closed
        #[cfg(feature = "network")]
        if let Some(joined) = self.joined() {
            let _ = joined.replicate(opened).await;
        }
        Ok(())
    }

    /// Whether it has a network: then what is opened for that is replicated through the daemon, too.
    fn has_joined(&self) -> bool {
        #[cfg(feature = "network")]
        let joined = self.joined().is_some();
        #[cfg(not(feature = "network"))]
        let joined = false;
        joined
    }
}

/// A name of a block in any base.
fn hash(text: &str) -> Result<Hash, NotAHash> {
    let cid: Option<debros_ipfs::Cid> = text.parse().ok();
    cid.and_then(|cid| Hash::from_cid(&cid)).ok_or_else(|| NotAHash(text.chars().take(80).collect()))
}
