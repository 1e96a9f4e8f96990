//! [`Stores`] and [`Rows`]: where the records of models are, in one state of the node.

use crate::{keys, registry::Registry};
use debros_core::{ModelDef, Role, UserId, Value, commits};
use debros_orbit::{DatabaseId, Document, Position, ReadDocuments, ReadError};
use debros_query::{Reach, encode_key};
use debros_shard::{Databases, Opening, Place, shard_of};
use std::sync::Arc;

/// The models of a database, and where their records are.
#[derive(Debug)]
pub(crate) struct Stores {
    pub(crate) registry: Arc<Registry>,
    pub(crate) databases: Databases,
}

impl Stores {
    /// The family of a model's databases.
    pub(crate) fn family(&self, model: &ModelDef) -> String {
        self.databases.application().family(model)
    }

    /// The model, of rows or of links, of this family; `None` if this version of the application has none, or the family is another
    /// application's.
    pub(crate) fn model_of(&self, family: &str) -> Option<&'static ModelDef> {
        self.registry.by_family(self.databases.application(), family)
    }

    /// The database of this name, as this application would make it; `None`, if it would make none of that name.
    #[cfg(feature = "kubo")]
    pub(crate) fn spec(&self, name: &debros_shard::DatabaseName) -> Option<debros_orbit::DatabaseSpec> {
        let application = self.databases.application();
        let model = self.registry.by_stored(&name.stored)?;
        let user = name.user.as_ref().map(|user| user.parse()).transpose().ok()?;
        let spec = application.database(model, user.as_ref(), name.shard);
        (spec.name == name.to_string()).then_some(spec)
    }
}

/// A state of the node, as models see it: one that is committed, or, with `opening`, one that a job of the writer is making.
pub(crate) struct Rows<'r, S: ?Sized> {
    pub(crate) stores: &'r Stores,
    pub(crate) state: &'r S,
    pub(crate) opening: Option<&'r Opening<'r>>,
}

impl<S: ?Sized> Clone for Rows<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S: ?Sized> Copy for Rows<'_, S> {}

/// A record, and where it is.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) database: DatabaseId,
    /// The user whose store it is in, if the model is user-scoped.
    pub(crate) owner: Option<UserId>,
    pub(crate) document: Document,
}

impl<S: ReadDocuments + ?Sized> Rows<'_, S> {
    pub(crate) fn find(&self, place: &Place) -> Result<Option<DatabaseId>, ReadError> {
        match self.opening {
            Some(opening) => opening.find(self.state, place),
            None => self.stores.databases.find(self.state, place),
        }
    }

    /// The databases of a model that are there, all shards: of this user, if the model is user-scoped.
    pub(crate) fn of_user(
        &self,
        model: &'static ModelDef,
        user: Option<&UserId>,
    ) -> Result<Vec<DatabaseId>, ReadError> {
        match self.opening {
            Some(opening) => opening.of_user(self.state, model, user),
            None => self.stores.databases.of_user(self.state, model, user),
        }
    }

    /// The databases of a model that are there, of all users.
    pub(crate) fn everywhere(&self, model: &'static ModelDef) -> Result<Vec<DatabaseId>, ReadError> {
        match self.opening {
            Some(opening) if !model.is_user_scoped() => opening.of_user(self.state, model, None),
            Some(_) => Ok(self.state.databases(&self.stores.family(model))?.into_iter().map(|info| info.id).collect()),
            None => self.stores.databases.everywhere(self.state, model),
        }
    }

    pub(crate) fn owner(&self, id: DatabaseId) -> Result<Option<UserId>, ReadError> {
        match self.opening {
            Some(opening) => opening.owner(self.state, id),
            None => self.stores.databases.owner(self.state, id),
        }
    }

    /// What a key holds in the databases of a model: of this user, if the model is user-scoped. `shard` is where to look first, if
    /// the key alone does not say.
    pub(crate) fn get(
        &self,
        model: &'static ModelDef,
        user: Option<&UserId>,
        key: &Key,
        shard: Option<u32>,
    ) -> Result<Option<Stored>, ReadError> {
        let first = key.shard.or(shard);
        let others = (0..debros_shard::shards(model)).filter(|shard| key.shard.is_none() && Some(*shard) != first);
        for shard in first.into_iter().chain(others) {
            if let Some(place) = Place::new(model, user, shard)
                && let Some(database) = self.find(&place)?
                && let Some(document) = self.state.get(database, &key.bytes)?
            {
                return Ok(Some(Stored { database, owner: place.user, document }));
            }
        }
        Ok(None)
    }

    /// What a reference to a key means that stands in the store of the user `home` (`None`: in a global one).
    ///
    /// A row of a global model is meant by any reference; of a user-scoped one, a row whose id commits to the owner of its
    /// store. What else a user-scoped model has is meant by references in its own store only.
    pub(crate) fn locate(
        &self,
        model: &'static ModelDef,
        key: &Key,
        reach: Reach,
        home: Option<&UserId>,
    ) -> Result<Option<Stored>, ReadError> {
        if !model.is_user_scoped() || reach == Reach::Own || !has_ids(model) {
            return self.get(model, home, key, None);
        }
        let mut own = None;
        for (database, position) in self.holders(model, &key.bytes)? {
            let Some(owner) = self.owner(database)? else { continue };
            if commits(&self.state.load(position)?, &owner) {
                own = Some((database, owner));
                break;
            }
            if home == Some(&owner) {
                own = Some((database, owner));
            }
        }
        let Some((database, owner)) = own else { return Ok(None) };
        let document = self.state.get(database, &key.bytes)?;
        Ok(document.map(|document| Stored { database, owner: Some(owner), document }))
    }

    /// The databases of a user-scoped model that have a row of this key.
    pub(crate) fn holders(
        &self,
        model: &'static ModelDef,
        key: &[u8],
    ) -> Result<Vec<(DatabaseId, Position)>, ReadError> {
        let end = debros_query::successor(key);
        let rows = self.state.scan_family(&self.stores.family(model), None, key, end.as_deref(), false);
        rows.map(|row| row.map(|row| (row.database, row.position))).collect()
    }

    /// Whose references to its key mean this record.
    pub(crate) fn referrers(&self, model: &'static ModelDef, stored: &Stored) -> Result<Referrers, ReadError> {
        let Some(owner) = stored.owner else { return Ok(Referrers::Anyone) };
        if !has_ids(model) {
            return Ok(Referrers::Only(owner));
        }
        if commits(&stored.document.record, &owner) {
            return Ok(Referrers::Anyone);
        }
        let key = Key::of(model, stored.document.record.field(debros_core::ID));
        let meant = self.locate(model, &key, Reach::Everywhere, Some(&owner))?;
        let is_this = meant.is_some_and(|meant| meant.database == stored.database);
        Ok(if is_this { Referrers::Only(owner) } else { Referrers::Nobody })
    }
}

/// Whose references mean a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referrers {
    Anyone,
    /// Those in this user's stores.
    Only(UserId),
    Nobody,
}

/// Are the keys of this model generated ids, which commit to their creator?
pub(crate) fn has_ids(model: &ModelDef) -> bool {
    model.key_fields().any(|field| field.role == Role::GeneratedKey)
}

/// The key of a record, as databases sort it, and the shard that it belongs to, if it alone decides.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) bytes: Vec<u8>,
    shard: Option<u32>,
}

impl Key {
    pub(crate) fn of(model: &'static ModelDef, key: &Value) -> Key {
        Key { bytes: encode_key(model, key), shard: shard_by_key(model, || Some(key.clone())) }
    }

    /// The key with these bytes.
    pub(crate) fn encoded(model: &'static ModelDef, bytes: &[u8]) -> Key {
        Key { bytes: bytes.to_vec(), shard: shard_by_key(model, || keys::decode(model, bytes)) }
    }
}

/// The shard of a record, if its key decides: 0, if the model is not sharded.
fn shard_by_key(model: &'static ModelDef, key: impl FnOnce() -> Option<Value>) -> Option<u32> {
    let Some(sharding) = model.sharding else { return Some(0) };
    // of a composite key, `_id` is the text of all its parts
    match model.key {
        [at] if model.fields[*at].name == sharding.key => shard_of(&key()?, sharding.count).ok(),
        _ => None,
    }
}
