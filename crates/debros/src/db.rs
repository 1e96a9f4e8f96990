//! [`Db`]: a database that is open.

use crate::{
    Builder, Durability, Error, Identity, IdentityError, OpenError, OwnerError, Problem, ReclaimError, Reclaimed,
    Session, VerifyReport, View, WriteError, blocking, owner, problem,
    registry::Registry,
    schema::Records,
    source,
    stores::Stores,
    write::{self, Applied, Done, Operation},
};
use debros_core::{HookContext, Model as _, Models, Row, UserId};
use debros_orbit::{
    CommitError, KeystoreError, Node, NodeOptions, ReadDocuments as _, ReadError, Snapshot, StoreError,
};
use debros_query::SourceError;
use debros_shard::{Application, Databases};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A database that is open: one data folder, and the models of an application in it. A cheap clone.
///
/// It reads the global models, and, with `.everywhere()`, everything that is held here; [`Db::session`] reads and writes as a user, [`Db::view`] reads
/// a user's data. When the last clone, session and view are dropped, the folder is closed: nothing that was answered is lost,
/// but only [`Db::close`] waits for it and tells of failures.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    node: Node,
    stores: Arc<Stores>,
    durability: Durability,
    /// The data folder, by its one true path.
    folder: Arc<Path>,
    #[cfg(feature = "kubo")]
    daemon: Option<Daemon>,
    #[cfg(feature = "network")]
    joined: Option<crate::network::Joined>,
    /// Held while users are followed, left, or taken in: one after the other.
    #[cfg(any(feature = "kubo", feature = "network"))]
    following: tokio::sync::Mutex<()>,
}

/// The Kubo daemon of a database.
#[cfg(feature = "kubo")]
struct Daemon {
    /// Ends before the courier does.
    replication: Option<debros_orbit::KuboReplication>,
    courier: debros_orbit::Courier,
    pinned_within: std::time::Duration,
}

/// How long closing waits for a daemon to confirm what it was not sent yet.
#[cfg(feature = "kubo")]
const CLOSE_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

impl Db {
    /// Gives the database as long as somebody else holds it.
    #[cfg(feature = "network")]
    pub(crate) fn downgrade(&self) -> impl Fn() -> Option<Db> + Send + use<> {
        let inner = Arc::downgrade(&self.inner);
        move || Some(Db { inner: inner.upgrade()? })
    }

    /// Opens the database in this folder, and makes the folder if it is not there. `application` is the application's name: 1 to 64 of
    /// `A-Z a-z 0-9 _ . -`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(folder: impl AsRef<Path>, application: &str, models: Models) -> Result<Db, OpenError> {
        Db::builder(folder, application).open(models).await
    }

    /// How a database is opened that wants more than a folder and a name.
    pub fn builder(folder: impl AsRef<Path>, application: &str) -> Builder {
        Builder::new(folder.as_ref(), application)
    }

    pub(crate) async fn open_with(builder: Builder, models: Models) -> Result<Db, OpenError> {
        #[cfg(feature = "kubo")]
        let (kubo, optional, pinned_within) = (builder.kubo.clone(), builder.kubo_optional, builder.pinned_within);
        #[cfg(feature = "kubo")]
        let kubo_peers = builder.kubo_peers;
        #[cfg(feature = "kubo")]
        if kubo_peers && kubo.is_none() {
            return Err(OpenError::NoKubo);
        }
        #[cfg(feature = "network")]
        let network = builder.network.clone();
        #[cfg(feature = "network")]
        let replicated_within = builder.replicated_within;
        let Builder { folder, application, admins, durability, store, open_databases, .. } = builder;
        let application = Application::new(application, admins)?;
        // what is wrong with it is said before anything is opened
        #[cfg(feature = "network")]
        let network = network.map(|join| crate::network::Joining::of(join, application.name())).transpose()?;
        let registry = Arc::new(Registry::new(models, !application.admins().is_empty())?);
        let records = Arc::new(Records::new(registry.clone(), application.clone()));
        let databases = Databases::new(application, open_databases);
        let mut options = NodeOptions::default();
        options.store = store;
        let open = move || {
            let node = Node::open(&folder, options, records)?;
            let folder: PathBuf = folder.canonicalize().unwrap_or(folder);
            Ok::<_, OpenError>((node, folder))
        };
        let (node, folder) = blocking::run(open).await?;
        let stores = Arc::new(Stores { registry, databases });
        #[cfg(feature = "kubo")]
        let daemon = match kubo {
            None => None,
            Some(kubo) => {
                let courier = node.ship(kubo, optional).await?;
                let name = stores.databases.application().name();
                let replication = kubo_peers.then(|| courier.replicate(name)).transpose()?;
                Some(Daemon { replication, courier, pinned_within })
            }
        };
        #[cfg(feature = "network")]
        let joined = match network {
            None => None,
            Some(joining) => Some(joining.join(&node, replicated_within).await?),
        };
        let inner = Inner {
            node,
            stores,
            durability,
            folder: folder.into(),
            #[cfg(feature = "kubo")]
            daemon,
            #[cfg(feature = "network")]
            joined,
            #[cfg(any(feature = "kubo", feature = "network"))]
            following: tokio::sync::Mutex::default(),
        };
        let db = Db { inner: Arc::new(inner) };
        #[cfg(feature = "network")]
        if db.inner.joined.is_some() {
            db.join_network().await?;
            db.begin_archive().await?;
        }
        #[cfg(feature = "kubo")]
        if db.kubo_replication().is_some() {
            db.join_kubo().await.map_err(|error| OpenError::KuboPeers(Box::new(error)))?;
        }
        Ok(db)
    }

    /// The user of this name on this device; the keys are made the first time, and kept in the data folder.
    ///
    /// In a network, the user's data is replicated from then on, with the user's other devices, too, and the user is
    /// announced to the application's other nodes (`Db::announce`). With `Builder::kubo_peers` it is replicated through the Kubo
    /// daemon, too.
    ///
    /// # Errors
    /// If the name is not 1 to 64 of `A-Z a-z 0-9 _ . -`, the keys cannot be read or written, or the user's data cannot be opened.
    pub async fn identity(&self, name: &str) -> Result<Identity, IdentityError> {
        let (db, name) = (self.clone(), name.to_owned());
        let taken = blocking::run(move || {
            db.check_open()?;
            let signer = db.inner.node.identity(&name)?;
            db.with_root_key(&name, signer)
        });
        self.take_in(taken.await?).await
    }

    /// Makes a user of another device or folder a user here, under this name: `key` is what [`Identity::export`] gave there. The user is the
    /// same, the device gets a key of its own. In a network, or through a Kubo daemon, what [`Db::identity`] does is done, too: both devices have
    /// the user's data.
    ///
    /// # Errors
    /// If the key is none, the name is another user's, the keys cannot be written, or the user's data cannot be opened.
    pub async fn import_identity(&self, name: &str, key: &[u8]) -> Result<Identity, IdentityError> {
        let (db, name, key) = (self.clone(), name.to_owned(), zeroize::Zeroizing::new(key.to_vec()));
        let taken = blocking::run(move || {
            db.check_open()?;
            let signer = db.inner.node.import_identity(&name, &key)?;
            db.with_root_key(&name, signer)
        });
        self.take_in(taken.await?).await
    }

    /// Replicates the data of a user of this folder, with whomever it replicates.
    #[cfg_attr(not(any(feature = "kubo", feature = "network")), expect(clippy::unused_async, reason = "without peers"))]
    async fn take_in(&self, identity: Identity) -> Result<Identity, IdentityError> {
        #[cfg(feature = "network")]
        self.take_into_network(&identity).await?;
        #[cfg(feature = "kubo")]
        self.take_through_kubo(&identity).await?;
        Ok(identity)
    }

    fn with_root_key(&self, name: &str, signer: debros_orbit::Identity) -> Result<Identity, IdentityError> {
        let root = match self.inner.node.keystore().user_key(name) {
            Ok(key) => Some(key),
            // kept elsewhere: this device goes on with its own
            Err(KeystoreError::NoUserKey(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Identity::new(signer, root, self.inner.folder.clone()))
    }

    /// The folder of a database that was closed may be another's by now.
    fn check_open(&self) -> Result<(), IdentityError> {
        match self.inner.node.snapshot() {
            Err(StoreError::Closed { .. }) => Err(IdentityError::Closed),
            // what else is wrong with the store does not concern the keys
            _ => Ok(()),
        }
    }

    /// Reads and writes as this user.
    pub fn session(&self, identity: &Identity) -> Session {
        Session::new(self.clone(), identity.clone(), self.inner.durability)
    }

    /// Reads this user's data, as far as it is held here.
    pub fn view(&self, user: UserId) -> View {
        View::new(self.clone(), user)
    }

    /// Whose row this is: of a user-scoped model, the user in whose store it is; of a global one, the user who created it.
    ///
    /// # Errors
    /// If the row is not held here, or several users have one of the same natural key and the same values.
    pub async fn owner<W: Row>(&self, row: &W) -> Result<UserId, OwnerError> {
        let model = W::Model::DEF;
        let (key, record) = (row.row().key()?, row.row().encode()?);
        let db = self.clone();
        blocking::run(move || owner::of(&db, model, &key, &record)).await
    }

    /// The stored records that typed queries leave out, and why. Reads the indexes of all required relations, so it may take a
    /// while.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub async fn problems(&self) -> Result<Vec<Problem>, SourceError> {
        let db = self.clone();
        blocking::run(move || problem::find(&db)).await
    }

    /// The databases that are held here: their names and addresses, by name. They follow from the application, its admins, the model, the
    /// user and the shard, so every node derives the same ones.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub async fn addresses(&self) -> Result<Vec<(String, String)>, SourceError> {
        let db = self.clone();
        blocking::run(move || {
            let read = || -> Result<_, ReadError> {
                let snapshot = db.inner.node.snapshot()?;
                let mut all = Vec::new();
                for model in db.inner.stores.registry.families() {
                    for info in snapshot.databases(&db.inner.stores.family(model))? {
                        all.push((info.spec.name.clone(), info.address.to_string()));
                    }
                }
                all.sort_unstable();
                Ok(all)
            };
            read().map_err(source::error)
        })
        .await
    }

    /// Checks the whole data folder: every block against its hash, and the indexes against what the log says they must be. Reads
    /// everything, so it takes about a minute for a million records.
    ///
    /// # Errors
    /// If the folder cannot be read. What is damaged in it is no error, but stands in the report.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let db = self.clone();
        blocking::run(move || db.inner.node.verify()).await
    }

    /// Gives the room on the disk back of what was taken away, as by `unfollow`, however little it is. By itself it is given back
    /// where it is at least a quarter of a segment file, of 64 MiB. Queries and writes go on meanwhile; it waits for queries and streams
    /// that began before it, and needs room for one more file. A crash leaves each file as it was, or as it will be.
    ///
    /// # Errors
    /// If a file is damaged, or there is no room to write it anew: then it is as it was.
    pub async fn reclaim(&self) -> Result<Reclaimed, ReclaimError> {
        self.inner.node.reclaim().await
    }

    /// Ends the database: everything is durable, tasks are ended, files released. Sessions and views that are left get
    /// `Closed`. Closing twice does nothing.
    ///
    /// # Errors
    /// If something could not be made durable.
    pub async fn close(self) -> Result<(), Error> {
        #[cfg(feature = "network")]
        if let Some(joined) = &self.inner.joined {
            joined.close().await;
        }
        #[cfg(feature = "kubo")]
        if let Some(daemon) = &self.inner.daemon {
            if let Some(replication) = &daemon.replication {
                replication.close().await;
            }
            daemon.courier.close(CLOSE_WITHIN).await;
        }
        Ok(self.inner.node.close().await?)
    }

    /// The database's blocks in the Kubo daemon that it was opened with. Without one, its status says so by having no `url`.
    #[cfg(feature = "kubo")]
    pub fn kubo(&self) -> crate::Kubo {
        crate::Kubo::new(self.clone())
    }

    #[cfg(feature = "kubo")]
    pub(crate) fn courier(&self) -> Option<&debros_orbit::Courier> {
        self.inner.daemon.as_ref().map(|daemon| &daemon.courier)
    }

    #[cfg(feature = "kubo")]
    pub(crate) fn kubo_replication(&self) -> Option<&debros_orbit::KuboReplication> {
        self.inner.daemon.as_ref()?.replication.as_ref()
    }

    #[cfg(feature = "network")]
    pub(crate) fn joined(&self) -> Option<&crate::network::Joined> {
        self.inner.joined.as_ref()
    }

    /// Nobody else begins or ends to follow a user until this is dropped.
    #[cfg(any(feature = "kubo", feature = "network"))]
    pub(crate) async fn following(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.following.lock().await
    }

    /// Does something in one commit.
    #[cfg(any(feature = "kubo", feature = "network"))]
    pub(crate) async fn commit<T: Send + 'static, E>(
        &self,
        job: impl FnOnce(&mut debros_orbit::Writer<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, WriteError>
    where
        E: Into<WriteError> + std::error::Error + Send + Sync + 'static,
    {
        match self.inner.node.write(debros_orbit::Durability::Local, job).await {
            Ok(done) => Ok(done),
            Err(CommitError::Job(error)) => Err(error.into()),
            Err(CommitError::Closed { .. }) => Err(WriteError::Closed),
            Err(other) => Err(WriteError::store(other)),
        }
    }

    /// Waits until what was just written is as durable as the caller asks, beyond the local store.
    #[cfg_attr(
        not(feature = "network"),
        expect(unused_variables, reason = "only peers have some databases and not others")
    )]
    async fn confirm(&self, durability: Durability, written: &[debros_orbit::DatabaseId]) -> Result<(), WriteError> {
        match durability {
            Durability::Local | Durability::Buffered => Ok(()),
            #[cfg(feature = "kubo")]
            Durability::Pinned => {
                let daemon = self.inner.daemon.as_ref().ok_or(WriteError::NoKubo)?;
                let (begin, within) = (std::time::SystemTime::now(), daemon.pinned_within);
                // it is written; if a clone has closed the database since, nobody will confirm it any more
                let Ok(snapshot) = self.snapshot() else { return Err(daemon.courier.not_pinned(begin, within).into()) };
                Ok(daemon.courier.pinned(&snapshot, within).await?)
            }
            #[cfg(feature = "network")]
            Durability::Replicated(peers) => {
                let joined = self.inner.joined.as_ref().ok_or(WriteError::NoNetwork)?;
                Ok(joined.replicated(written, peers).await?)
            }
        }
    }

    pub(crate) fn stores(&self) -> &Arc<Stores> {
        &self.inner.stores
    }

    pub(crate) fn node(&self) -> &Node {
        &self.inner.node
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.inner.node.snapshot()
    }

    /// A device's key writes in the folder that it was made in, and nowhere else.
    pub(crate) fn check_folder(&self, identity: &Identity) -> Result<(), WriteError> {
        match identity.is_of(&self.inner.folder) {
            true => Ok(()),
            false => Err(WriteError::OtherFolder { user: identity.user() }),
        }
    }

    /// Writes operations in one commit, all or nothing.
    pub(crate) async fn write(
        &self,
        identity: &Identity,
        durability: Durability,
        context: HookContext,
        operations: Vec<Operation>,
    ) -> Result<Vec<Done>, WriteError> {
        if operations.is_empty() {
            return Ok(Vec::new());
        }
        self.check_folder(identity)?;
        #[cfg(feature = "kubo")]
        if durability == Durability::Pinned && self.inner.daemon.is_none() {
            return Err(WriteError::NoKubo);
        }
        #[cfg(feature = "network")]
        if matches!(durability, Durability::Replicated(_)) && self.inner.joined.is_none() {
            return Err(WriteError::NoNetwork);
        }
        let (stores, signer) = (self.inner.stores.clone(), identity.signer.clone());
        let job =
            move |writer: &mut debros_orbit::Writer<'_>| write::apply(writer, &stores, &signer, context, operations);
        match self.inner.node.write(durability.local(), job).await {
            Ok(Applied { done, opened, written }) => {
                #[cfg(any(feature = "kubo", feature = "network"))]
                let new: Vec<_> = opened.iter().map(|(_, id)| *id).collect();
                self.inner.stores.databases.remember(opened);
                #[cfg(any(feature = "kubo", feature = "network"))]
                self.replicate(&new).await;
                self.confirm(durability, &written).await?;
                Ok(done)
            }
            Err(CommitError::Job(error)) => Err(error),
            Err(CommitError::Closed { .. }) => Err(WriteError::Closed),
            Err(other) => Err(WriteError::store(other)),
        }
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("application", &self.inner.stores.databases.application().name())
            .finish_non_exhaustive()
    }
}
