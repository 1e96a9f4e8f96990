//! [`Databases`]: the databases of an application, opened when they are needed.

use crate::{Application, DatabaseName, Place, shards};
use debros_core::{ModelDef, UserId};
use debros_orbit::{Address, DatabaseId, DatabaseInfo, OpenDatabaseError, ReadDocuments, ReadError, Writer};
use lru::LruCache;
use std::{
    cell::RefCell,
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The databases of an application, opened when they are needed.
///
/// An open database is one whose address was worked out and found in the node: a few hundred bytes that save hashing a manifest and
/// looking it up for each read. So many are open at most; opening one more closes the one that was not used for longest, and closing
/// only forgets these bytes. Its records, heads and indexes are in the node's files and stay there: whatever is asked of a closed
/// database opens it again.
///
/// A database comes into being with its first record ([`Opening::create`]), so a user without posts has no post databases, and a
/// model of 8 shards and one record has one.
#[derive(Debug)]
pub struct Databases {
    application: Application,
    open: Mutex<LruCache<Place, Open>>,
    owners: Mutex<LruCache<DatabaseId, Option<UserId>>>,
    members: Mutex<Members>,
}

/// Which databases there are, by family: read once, and from then on only the new ones. A database has the number after the one before
/// it, so one lookup tells whether there is a new one.
#[derive(Debug, Default)]
struct Members {
    next: u32,
    families: HashMap<String, Vec<DatabaseId>>,
}

/// What is kept of an open database.
#[derive(Clone, Copy, Debug)]
struct Open {
    address: Address,
    /// `None` while the node has no such database.
    id: Option<DatabaseId>,
}

impl Databases {
    /// The databases of an application, at most `limit` (and at least one) open at a time.
    pub fn new(application: Application, limit: usize) -> Databases {
        let limit = NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
        Databases {
            application,
            open: Mutex::new(LruCache::new(limit)),
            owners: Mutex::new(LruCache::new(limit)),
            members: Mutex::default(),
        }
    }

    /// The application.
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// How many are open now.
    pub fn open_count(&self) -> usize {
        self.open().len()
    }

    /// The database of this place, if the node has it. `state` must be a committed one: what is found is remembered.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn find<S: ReadDocuments + ?Sized>(&self, state: &S, place: &Place) -> Result<Option<DatabaseId>, ReadError> {
        let known = self.open().get(place).copied();
        let address = match known {
            Some(Open { id: Some(id), .. }) => return Ok(Some(id)),
            Some(Open { address, .. }) => address,
            None => self.address(place)?,
        };
        let id = state.at(&address)?.map(|info| info.id);
        if id.is_some() || known.is_none() {
            self.open().put(*place, Open { address, id });
        }
        Ok(id)
    }

    /// The databases of a model that the node has, all shards: of this user, if the model is user-scoped; none, if it is and there
    /// is no user.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn of_user<S: ReadDocuments + ?Sized>(
        &self,
        state: &S,
        model: &'static ModelDef,
        user: Option<&UserId>,
    ) -> Result<Vec<DatabaseId>, ReadError> {
        let mut found = Vec::new();
        for place in (0..shards(model)).filter_map(|shard| Place::new(model, user, shard)) {
            found.extend(self.find(state, &place)?);
        }
        Ok(found)
    }

    /// The databases of a model that the node has, of all users. Of a global model only those of this application's admins count.
    /// `state` must be a committed one: what is found is remembered. Databases that came after it may be among them; it finds
    /// nothing in these.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn everywhere<S: ReadDocuments + ?Sized>(
        &self,
        state: &S,
        model: &'static ModelDef,
    ) -> Result<Vec<DatabaseId>, ReadError> {
        if !model.is_user_scoped() {
            return self.of_user(state, model, None);
        }
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match state.info(DatabaseId(members.next)) {
                Ok(info) => {
                    match members.families.get_mut(&info.spec.family) {
                        Some(family) => family.push(info.id),
                        None => drop(members.families.insert(info.spec.family.clone(), vec![info.id])),
                    }
                    members.next += 1;
                }
                Err(ReadError::NoDatabase(_)) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(members.families.get(&self.application.family(model)).cloned().unwrap_or_default())
    }

    /// Whose database this is; `None` for one of a global model. `state` must be a committed one: what is found is remembered.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn owner<S: ReadDocuments + ?Sized>(&self, state: &S, id: DatabaseId) -> Result<Option<UserId>, ReadError> {
        if let Some(owner) = self.owners().get(&id) {
            return Ok(*owner);
        }
        let owner = owner_of(&*state.info(id)?);
        self.owners().put(id, owner);
        Ok(owner)
    }

    /// Remembers what a job opened, after it was committed.
    pub fn remember(&self, opened: impl IntoIterator<Item = (Place, DatabaseId)>) {
        for (place, id) in opened {
            let known = self.open().get(&place).copied();
            let address = match known {
                Some(Open { id: Some(_), .. }) => continue,
                Some(Open { address, id: None }) => Ok(address),
                None => self.address(&place),
            };
            if let Ok(address) = address {
                self.open().put(place, Open { address, id: Some(id) });
            }
        }
    }

    /// Forgets databases that were dropped.
    pub fn forget(&self, dropped: &[DatabaseId]) {
        let mut open = self.open();
        let is_dropped = |open: &Open| open.id.is_some_and(|id| dropped.contains(&id));
        let places: Vec<Place> = open.iter().filter(|(_, open)| is_dropped(open)).map(|(place, _)| *place).collect();
        for place in places {
            open.pop(&place);
        }
    }

    fn address(&self, place: &Place) -> Result<Address, ReadError> {
        let spec = self.application.database(place.model, place.user.as_ref(), place.shard);
        spec.address().map_err(|error| ReadError::State(Box::new(error)))
    }

    fn open(&self) -> MutexGuard<'_, LruCache<Place, Open>> {
        // a panic elsewhere cannot leave the map half changed
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owners(&self) -> MutexGuard<'_, LruCache<DatabaseId, Option<UserId>>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose database this is, by its name.
pub(crate) fn owner_of(info: &DatabaseInfo) -> Option<UserId> {
    info.spec.name.parse::<DatabaseName>().ok()?.user?.parse().ok()
}

/// The databases of an application, as one job of the writer opens them. What it finds and creates may yet be undone, so nothing
/// of it is remembered before the commit: see [`Databases::remember`].
#[derive(Debug)]
pub struct Opening<'d> {
    databases: &'d Databases,
    opened: RefCell<HashMap<Place, DatabaseId>>,
}

impl<'d> Opening<'d> {
    /// For one job.
    pub fn new(databases: &'d Databases) -> Opening<'d> {
        Opening { databases, opened: RefCell::default() }
    }

    /// The database of this place, if there is one.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn find<S: ReadDocuments + ?Sized>(&self, state: &S, place: &Place) -> Result<Option<DatabaseId>, ReadError> {
        if let Some(id) = self.opened.borrow().get(place) {
            return Ok(Some(*id));
        }
        let known = self.databases.open().get(place).copied();
        let id = match known {
            Some(Open { id: Some(id), .. }) => Some(id),
            Some(Open { address, id: None }) => state.at(&address)?.map(|info| info.id),
            None => state.at(&self.databases.address(place)?)?.map(|info| info.id),
        };
        if let Some(id) = id {
            self.opened.borrow_mut().insert(*place, id);
        }
        Ok(id)
    }

    /// The databases of a model that are there, all shards: of this user, if the model is user-scoped.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn of_user<S: ReadDocuments + ?Sized>(
        &self,
        state: &S,
        model: &'static ModelDef,
        user: Option<&UserId>,
    ) -> Result<Vec<DatabaseId>, ReadError> {
        let mut found = Vec::new();
        for place in (0..shards(model)).filter_map(|shard| Place::new(model, user, shard)) {
            found.extend(self.find(state, &place)?);
        }
        Ok(found)
    }

    /// Whose database this is; `None` for one of a global model.
    ///
    /// # Errors
    /// If the node cannot be read.
    pub fn owner<S: ReadDocuments + ?Sized>(&self, state: &S, id: DatabaseId) -> Result<Option<UserId>, ReadError> {
        Ok(owner_of(&*state.info(id)?))
    }

    /// The database of this place, which is created if there is none.
    ///
    /// # Errors
    /// If it cannot be created, or the node not be read.
    pub fn create(&self, writer: &mut Writer<'_>, place: &Place) -> Result<DatabaseId, OpenDatabaseError> {
        if let Some(id) = self.find(writer, place)? {
            return Ok(id);
        }
        let spec = self.databases.application.database(place.model, place.user.as_ref(), place.shard);
        let id = writer.open(&spec)?;
        self.opened.borrow_mut().insert(*place, id);
        Ok(id)
    }

    /// What was found and created: for [`Databases::remember`], once the job is committed.
    pub fn into_opened(self) -> Vec<(Place, DatabaseId)> {
        self.opened.into_inner().into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
