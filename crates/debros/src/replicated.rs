//! What of a database is replicated, with peers and through a Kubo daemon.

use crate::{Db, UnfollowError, WriteError, blocking};
use debros_core::{ModelDef, Scope, UserId};
use debros_orbit::{DatabaseId, OpenDatabaseError, PublicKey, ReadDocuments as _, ReadError};
use debros_shard::{Opening, Place};

impl Db {
    /// The databases of this application that are held here.
    pub(crate) fn held(&self) -> Result<Vec<DatabaseId>, ReadError> {
        let snapshot = self.snapshot()?;
        let mut held = Vec::new();
        for model in self.stores().registry.families() {
            held.extend(snapshot.databases(&self.stores().family(model))?.into_iter().map(|info| info.id));
        }
        Ok(held)
    }

    /// Opens the databases of a user, or of the global models.
    pub(crate) async fn open_of(&self, user: Option<UserId>) -> Result<Vec<DatabaseId>, WriteError> {
        let stores = self.stores().clone();
        let models: Vec<&'static ModelDef> = stores.registry.families();
        let of_user = move |model: &&'static ModelDef| (model.scope == Scope::User) == user.is_some();
        let places: Vec<Place> = models
            .into_iter()
            .filter(of_user)
            .flat_map(|model| (0..debros_shard::shards(model)).filter_map(move |n| Place::new(model, user.as_ref(), n)))
            .collect();
        let job = move |writer: &mut debros_orbit::Writer<'_>| {
            let opening = Opening::new(&stores.databases);
            for place in &places {
                opening.create(writer, place)?;
            }
            Ok::<_, OpenDatabaseError>(opening.into_opened())
        };
        let opened = self.commit(job).await?;
        self.stores().databases.remember(opened.iter().copied());
        Ok(opened.into_iter().map(|(_, id)| id).collect())
    }

    /// Replicates what was just opened with whoever replicates. That it cannot be told any more means that the database was closed.
    pub(crate) async fn replicate(&self, opened: &[DatabaseId]) {
        #[cfg(feature = "network")]
        if let Some(joined) = self.joined() {
            let _ = joined.replicate(opened.iter().copied()).await;
        }
        #[cfg(feature = "kubo")]
        let _ = self.replicate_through_kubo(opened).await;
    }

    /// Replicates these databases through the Kubo daemon, if any are.
    #[cfg(feature = "kubo")]
    pub(crate) async fn replicate_through_kubo(
        &self,
        databases: &[DatabaseId],
    ) -> Result<(), debros_orbit::ShippingError> {
        if let Some(replication) = self.kubo_replication() {
            for database in databases {
                replication.open(*database).await?;
            }
        }
        Ok(())
    }

    /// Replicates the databases of a user who has no identity here no more, and drops them.
    pub(crate) async fn drop_user(&self, user: UserId) -> Result<(), UnfollowError> {
        let _alone = self.following().await;
        let db = self.clone();
        let databases = blocking::run(move || db.databases_of_other(user)).await?;
        let dropped = |source: Box<dyn std::error::Error + Send + Sync>| UnfollowError::Drop { user, source };
        for database in &databases {
            #[cfg(feature = "network")]
            if let Some(joined) = self.joined() {
                joined.leave(*database).await.map_err(|error| dropped(Box::new(error)))?;
            }
            #[cfg(feature = "kubo")]
            if let Some(replication) = self.kubo_replication() {
                replication.close_database(*database).await.map_err(|error| dropped(Box::new(error)))?;
            }
        }
        // from now on they have to be opened again to be written
        self.stores().databases.forget(&databases);
        let (node, all) = (self.node().clone(), databases.clone());
        // on a thread of its own: it goes on if nobody waits for it any more
        let done = blocking::run(move || futures::executor::block_on(node.drop_databases(all))).await;
        self.stores().databases.forget(&databases);
        done.map_err(|error| dropped(Box::new(error)))
    }

    fn databases_of_other(&self, user: UserId) -> Result<Vec<DatabaseId>, UnfollowError> {
        let keys = self.node().keystore().users()?;
        if keys.contains(&PublicKey::from_bytes(*user.as_bytes())) {
            return Err(UnfollowError::OwnUser { user });
        }
        let (snapshot, stores) = (self.snapshot().map_err(ReadError::from)?, self.stores());
        let mut found = Vec::new();
        for model in stores.registry.families().into_iter().filter(|model| model.scope == Scope::User) {
            found.extend(stores.databases.of_user(&snapshot, model, Some(&user))?);
        }
        Ok(found)
    }
}
