//! What of a database is replicated, with peers and through a Kubo daemon.

use crate::{Db, WriteError};
use debros_core::{ModelDef, Scope, UserId};
use debros_orbit::{DatabaseId, ReadDocuments as _, ReadError};
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
            Ok::<_, debros_orbit::OpenDatabaseError>(opening.into_opened())
        };
        let opened = self.commit(job).await?;
        self.stores().databases.remember(opened.iter().copied());
        Ok(opened.into_iter().map(|(_, id)| id).collect())
    }

    /// Replicates what was just opened with whoever else replicates. That it cannot be told any more means that the database was closed.
    pub(crate) async fn replicate(&self, opened: &[DatabaseId]) {
        #[cfg(feature = "network")]
        if let Some(joined) = self.joined() {
            let _ = joined.replicate(opened.iter().copied()).await;
        }
        #[cfg(feature = "kubo")]
        if let Some(replication) = self.kubo_replication() {
            for database in opened {
                let _ = replication.open(*database).await;
            }
        }
    }
}
