//! [`Application`]: what every address of an application follows from.

use crate::{ACCESS, DatabaseName, USERS, is_name, shard_of};
use debros_core::{DagCborError, Map, ModelDef, Scope, StoreKind, UserId, Writers};
use debros_orbit::{AccessSpec, DatabaseKind, DatabaseSpec};

/// What the families of events end with; a stored name has no `/`.
const EVENTS: &str = "/events";

/// An application: its name and its founding admins. Every address of its databases follows from these, so all its peers must name
/// the same ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    name: String,
    admins: Vec<UserId>,
}

/// Why there is no such application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplicationError {
    /// The name cannot stand in a database's name.
    #[error("`{0}` cannot be the name of an application: take 1 to 64 of A-Z, a-z, 0-9, `_`, `.` and `-`")]
    Name(String),
}

impl Application {
    /// The application of this name, with these founding admins; their order does not matter.
    ///
    /// # Errors
    /// If the name is not 1 to 64 of `A-Z a-z 0-9 _ . -`.
    pub fn new(
        name: impl Into<String>,
        admins: impl IntoIterator<Item = UserId>,
    ) -> Result<Application, ApplicationError> {
        let name = name.into();
        if !is_name(&name) {
            return Err(ApplicationError::Name(name));
        }
        let mut admins: Vec<UserId> = admins.into_iter().collect();
        admins.sort_unstable();
        admins.dedup();
        Ok(Application { name, admins })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its founding admins, sorted, each once.
    pub fn admins(&self) -> &[UserId] {
        &self.admins
    }

    /// Is this user one of them?
    pub fn is_admin(&self, user: &UserId) -> bool {
        self.admins.binary_search(user).is_ok()
    }

    /// The name of the database that holds one shard of a model, for one user if the model is user-scoped.
    pub fn database_name(&self, model: &ModelDef, user: Option<&UserId>, shard: u32) -> DatabaseName {
        let mut name = DatabaseName::global(&self.name, model.stored).shard(shard, shards(model));
        name.user = user.filter(|_| model.is_user_scoped()).map(UserId::to_string);
        name
    }

    /// The family of a model's databases on a node: those of all users and shards. A folder may hold those of several applications,
    /// and documents beside events of one stored name.
    pub fn family(&self, model: &ModelDef) -> String {
        let kind = match model.store {
            StoreKind::Documents => "",
            StoreKind::Events => EVENTS,
        };
        format!("{}/{}{kind}", self.name, model.stored)
    }

    /// The stored name of the model whose databases are this family, and how they keep its records; `None`, if it is another
    /// application's.
    pub fn stored_of<'f>(&self, family: &'f str) -> Option<(&'f str, StoreKind)> {
        let stored = family.strip_prefix(&self.name)?.strip_prefix('/')?;
        Some(match stored.strip_suffix(EVENTS) {
            Some(stored) => (stored, StoreKind::Events),
            None => (stored, StoreKind::Documents),
        })
    }

    /// The database in which the users announce themselves: everyone may write it, and what it says is a hint, no more.
    pub fn users(&self) -> DatabaseSpec {
        DatabaseSpec {
            name: DatabaseName::global(&self.name, USERS).to_string(),
            kind: DatabaseKind::Events,
            access: AccessSpec::Ipfs { write: vec!["*".to_owned()] },
            family: self.users_family(),
            tag: Vec::new(),
            meta: None,
        }
    }

    /// The family of that database on a node; no model has one of this name.
    pub fn users_family(&self) -> String {
        format!("{}/{USERS}", self.name)
    }

    /// The database that holds one shard of a model, for one user if the model is user-scoped: all that its address follows from.
    pub fn database(&self, model: &ModelDef, user: Option<&UserId>, shard: u32) -> DatabaseSpec {
        let name = self.database_name(model, user, shard);
        let access = match (model.scope, &name.user) {
            (Scope::User, Some(user)) => AccessSpec::Ipfs { write: vec![user.clone()] },
            (Scope::Global(Writers::Admins), _) => AccessSpec::orbitdb(
                DatabaseName::global(&self.name, ACCESS).to_string(),
                self.admins.iter().map(UserId::to_string),
            ),
            (Scope::User, None) | (Scope::Global(Writers::Anyone | Writers::Owner), _) => {
                AccessSpec::Ipfs { write: vec!["*".to_owned()] }
            }
        };
        DatabaseSpec {
            name: name.to_string(),
            kind: match model.store {
                StoreKind::Documents => DatabaseKind::Documents,
                StoreKind::Events => DatabaseKind::Events,
            },
            access,
            family: self.family(model),
            tag: Vec::new(),
            meta: None,
        }
    }
}

/// Over how many databases the records of a model are divided; 1 if they are not.
pub fn shards(model: &ModelDef) -> u32 {
    model.sharding.map_or(1, |sharding| sharding.count)
}

/// The shard of a record, by its shard key; 0 if the model is not sharded.
///
/// # Errors
/// If the shard key's value has no DAG-CBOR form.
pub fn shard_of_record(model: &ModelDef, record: &Map) -> Result<u32, DagCborError> {
    let Some(sharding) = model.sharding else { return Ok(0) };
    let field = model.field(sharding.key).map_or(sharding.key, |field| model.stored_name(field.name));
    shard_of(record.field(field), sharding.count)
}
