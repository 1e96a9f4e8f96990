//! [`Db`]: a database that is open.

use crate::{
    Builder, Durability, Identity, OpenError, Problem, ProblemKind, Session, VerifyReport, View, WriteError, blocking,
    keys,
    registry::{Registry, index_of},
    schema::{Records, commits},
    source,
    stores::{Key, Rows, Stores},
    write::{self, Applied, Done, Operation},
};
use debros_core::{HookContext, ID, Map, Model, ModelDef, Models, RelationKind, Row, UserId};
use debros_orbit::{CommitError, KeystoreError, Node, NodeOptions, ReadDocuments as _, ReadError, Snapshot, StoreError as NodeError};
use debros_query::{Reach, SourceError, encode_key};
use debros_shard::{Application, Databases};
use std::{collections::HashMap, fmt, path::Path, sync::Arc};

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
}

/// Why an identity could not be had.
pub type IdentityError = KeystoreError;
/// Why the local store failed.
pub type StoreError = NodeError;

/// Why it could not be told whose a row is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// The row is not held here.
    #[error("`{model}` has no record with the key {key} here: it was deleted, or never there")]
    NotFound {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
    },
    /// Several users have such a row.
    #[error("{users} users have a `{model}` with the key {key} and these values, so nothing tells whose this is")]
    Ambiguous {
        /// The model.
        model: &'static str,
        /// The key.
        key: String,
        /// How many.
        users: usize,
    },
    /// The row's values have no stored form.
    #[error(transparent)]
    Encode(#[from] debros_core::EncodeError),
    /// The databases could not be read.
    #[error(transparent)]
    Read(#[from] SourceError),
}

impl From<ReadError> for OwnerError {
    fn from(error: ReadError) -> OwnerError {
        OwnerError::Read(source::error(error))
    }
}
impl From<NodeError> for OwnerError {
    fn from(error: NodeError) -> OwnerError {
        ReadError::Store(error).into()
    }
}

impl Db {
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
        let Builder { folder, application, admins, durability, store, open_databases } = builder;
        let application = Application::new(application, admins)?;
        let registry = Arc::new(Registry::new(models, !application.admins().is_empty())?);
        let databases = Databases::new(application, open_databases);
        let records = Arc::new(Records::new(registry.clone()));
        let mut options = NodeOptions::default();
        options.store = store;
        let node = blocking::run(move || Node::open(&folder, options, records)).await?;
        let stores = Arc::new(Stores { registry, databases });
        Ok(Db { inner: Arc::new(Inner { node, stores, durability }) })
    }

    /// The user of this name on this device; the keys are made the first time, and kept in the data folder.
    ///
    /// # Errors
    /// If the name is not 1 to 64 of `A-Z a-z 0-9 _ . -`, or the keys cannot be read or written.
    pub async fn identity(&self, name: &str) -> Result<Identity, IdentityError> {
        let (db, name) = (self.clone(), name.to_owned());
        blocking::run(move || {
            let signer = db.inner.node.identity(&name)?;
            db.with_root_key(&name, signer)
        })
        .await
    }

    /// Makes a user of another device or folder a user here, under this name: `key` is what [`Identity::export`] gave there. The user is the
    /// same, the device gets a key of its own.
    ///
    /// # Errors
    /// If the key is none, the name is another user's, or the keys cannot be written.
    pub async fn import_identity(&self, name: &str, key: &[u8]) -> Result<Identity, IdentityError> {
        let (db, name, key) = (self.clone(), name.to_owned(), zeroize::Zeroizing::new(key.to_vec()));
        blocking::run(move || {
            let signer = db.inner.node.import_identity(&name, &key)?;
            db.with_root_key(&name, signer)
        })
        .await
    }

    fn with_root_key(&self, name: &str, signer: debros_orbit::Identity) -> Result<Identity, IdentityError> {
        let root = match self.inner.node.keystore().user_key(name) {
            Ok(key) => Some(key),
            // kept elsewhere: this device goes on with its own
            Err(KeystoreError::NoUserKey(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(Identity::new(signer, root))
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
        blocking::run(move || db.owner_of(model, &key, &record)).await
    }

    fn owner_of(&self, model: &'static ModelDef, key: &debros_core::Value, record: &Map) -> Result<UserId, OwnerError> {
        let snapshot = self.inner.node.snapshot()?;
        let rows = Rows { stores: &self.inner.stores, state: &snapshot, opening: None };
        let not_found = || OwnerError::NotFound { model: model.name, key: keys::text(key) };
        if !model.is_user_scoped() {
            let stored = rows.get(model, None, &Key::of(model, key), None)?.ok_or_else(not_found)?;
            return stored.document.first_author.parse().map_err(|_| not_found());
        }
        let mut alike = Vec::new();
        let bytes = encode_key(model, key);
        for (database, position) in rows.holders(model, &bytes)? {
            let Some(owner) = rows.owner(database)? else { continue };
            let stored = snapshot.load(position)?;
            if commits(&stored, &owner) {
                return Ok(owner);
            }
            alike.push((owner, stored));
        }
        if alike.len() > 1 {
            // the struct says nothing of its store, so what is left to compare are its values
            alike.retain(|(_, stored)| record.iter().all(|(name, value)| stored.field(name) == value));
        }
        match alike[..] {
            [] => Err(not_found()),
            [(owner, _)] => Ok(owner),
            _ => Err(OwnerError::Ambiguous { model: model.name, key: keys::text(key), users: alike.len() }),
        }
    }

    /// The stored records that typed queries leave out, and why. Reads the indexes of all required relations, so it may take a
    /// while.
    ///
    /// # Errors
    /// If the databases cannot be read.
    pub async fn problems(&self) -> Result<Vec<Problem>, SourceError> {
        let db = self.clone();
        blocking::run(move || db.find_problems()).await
    }

    fn find_problems(&self) -> Result<Vec<Problem>, SourceError> {
        let snapshot = self.inner.node.snapshot().map_err(|error| source::error(error.into()))?;
        let mut problems = Vec::new();
        self.unreadable(&snapshot, &mut problems).map_err(source::error)?;
        self.orphans(&snapshot, &mut problems).map_err(source::error)?;
        Ok(problems)
    }

    fn unreadable(&self, snapshot: &Snapshot, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
        for problem in snapshot.problems(None) {
            let problem = problem?;
            let info = snapshot.info(problem.database)?;
            let model = self.inner.stores.registry.by_stored(&info.spec.family);
            let record = snapshot.load(problem.position)?;
            problems.push(Problem {
                model: model.map_or_else(|| info.spec.family.clone(), |model| model.name.to_owned()),
                key: keys::text_of(&record),
                user: self.inner.stores.databases.owner(snapshot, problem.database)?,
                kind: match problem.refused {
                    true => ProblemKind::Refused { writer: problem.author, reason: problem.reason },
                    false => ProblemKind::Unreadable { reason: problem.reason },
                },
            });
        }
        Ok(())
    }

    /// Rows whose required parents are not here. One lookup for each different reference.
    fn orphans(&self, snapshot: &Snapshot, problems: &mut Vec<Problem>) -> Result<(), ReadError> {
        let stores = &self.inner.stores;
        let rows = Rows { stores, state: snapshot, opening: None };
        for &model in stores.registry.models() {
            let required =
                model.relations.iter().filter(|relation| relation.kind == RelationKind::BelongsTo && !relation.optional);
            for relation in required {
                let Some(target) = stores.registry.get(relation.target) else { continue };
                let Some(index) = index_of(model, relation) else { continue };
                for database in rows.everywhere(model)? {
                    let home = rows.owner(database)?;
                    let mut known: HashMap<Vec<u8>, bool> = HashMap::new();
                    for row in snapshot.scan_index(database, index, &[], None, false) {
                        let row = row?;
                        // rows come in the order of the index, so a reference is looked up once in a row
                        if known.get(row.values()) == Some(&true) {
                            continue;
                        }
                        let record = snapshot.load(row.position)?;
                        let Some(parent) = keys::parent_key(model, relation, &record) else { continue };
                        let found = rows.locate(target, &Key::of(target, &parent), Reach::Everywhere, home.as_ref())?;
                        let is_here = found.is_some_and(|found| found.document.problem.is_none());
                        known.clear();
                        known.insert(row.values().to_vec(), is_here);
                        if !is_here {
                            problems.push(Problem {
                                model: model.name.to_owned(),
                                key: keys::text(record.field(ID)),
                                user: home,
                                kind: ProblemKind::MissingParent {
                                    relation: relation.name,
                                    parent: keys::text(&parent),
                                },
                            });
                        }
                    }
                }
            }
        }
        Ok(())
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
                    for info in snapshot.databases(model.stored)? {
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

    /// Ends the database: everything is durable, tasks are ended, files released. Sessions and views that are left get
    /// `Closed`. Closing twice does nothing.
    ///
    /// # Errors
    /// If something could not be made durable.
    pub async fn close(self) -> Result<(), StoreError> {
        self.inner.node.close().await
    }

    pub(crate) fn stores(&self) -> &Arc<Stores> {
        &self.inner.stores
    }

    #[cfg(test)]
    pub(crate) fn node(&self) -> &Node {
        &self.inner.node
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, NodeError> {
        self.inner.node.snapshot()
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
        let (stores, signer) = (self.inner.stores.clone(), identity.signer.clone());
        let job = move |writer: &mut debros_orbit::Writer<'_>| {
            write::apply(writer, &stores, &signer, context, operations)
        };
        match self.inner.node.write(durability, job).await {
            Ok(Applied { done, opened }) => {
                self.inner.stores.databases.remember(opened);
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
        f.debug_struct("Db").field("application", &self.inner.stores.databases.application().name()).finish_non_exhaustive()
    }
}
