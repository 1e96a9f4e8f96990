//! [`Memory`]: a handle over databases in memory.

use super::{MemoryResolver, MemorySource, blog};
use crate::{Answer, End, Execute, Executor, Found, Outcome, QueryError, QuerySpec, Reads, Writes};
use debros_core::{Changeable, Model, PerUser, UserId, Value, World};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A handle over databases in memory, on behalf of one user. It answers at once, and its writes check nothing.
#[derive(Clone, Debug)]
pub struct Memory {
    source: Arc<RwLock<MemorySource>>,
    user: UserId,
}

impl Memory {
    /// A handle over these databases.
    pub fn new(source: MemorySource, user: UserId) -> Memory {
        Memory { source: Arc::new(RwLock::new(source)), user }
    }

    /// The example of this crate's documentation: alice, bob, and four posts in the store of the user 0.
    pub fn blog() -> Memory {
        let memory = Memory::new(MemorySource::new([blog::User::DEF, blog::Post::DEF]), super::user(0));
        for user in blog::users() {
            memory.insert(&user);
        }
        for post in blog::posts() {
            memory.insert(&post);
        }
        memory
    }

    /// Another user's handle over the same databases.
    #[must_use]
    pub fn as_user(&self, user: UserId) -> Memory {
        Memory { source: Arc::clone(&self.source), user }
    }

    /// Puts a row into the store of the handle's user, or the global one.
    ///
    /// # Panics
    /// If the row does not encode.
    pub fn insert<M: Model>(&self, row: &M) {
        let record = row.encode().expect("the rows of a test encode");
        self.write().insert(M::DEF, Some(self.user), record);
    }

    /// Says that so many databases of a model are known and not held.
    pub fn lack<M: Model>(&self, databases: usize) {
        self.write().lack(M::DEF, databases);
    }

    fn read(&self) -> RwLockReadGuard<'_, MemorySource> {
        self.source.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, MemorySource> {
        self.source.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self, spec: &QuerySpec) -> Result<Vec<Found>, QueryError> {
        let source = self.read().as_user(Some(self.user));
        let resolver = MemoryResolver::new(&source);
        Executor::new(&source, &resolver).found(spec)?.collect()
    }
}

impl Execute for Memory {
    fn execute(&self, spec: QuerySpec, end: End) -> Answer<Outcome> {
        let memory = self.clone();
        Answer::new(async move {
            let source = memory.read().as_user(Some(memory.user));
            Executor::new(&source, &MemoryResolver::new(&source)).run(&spec, &end)
        })
    }
}
impl Reads<World> for Memory {}
impl Reads<PerUser> for Memory {}

impl Writes for Memory {
    type Error = QueryError;

    fn update_all<M: Changeable>(&self, spec: QuerySpec, set: Vec<(&'static str, Value)>) -> Answer<u64> {
        let memory = self.clone();
        Answer::new(async move {
            let found = memory.found(&spec)?;
            let count = found.len() as u64;
            for Found { database, key, mut record } in found {
                for (field, value) in &set {
                    record.insert(spec.model.stored_name(field), value.clone());
                }
                memory.write().change(database, &key, Some(record));
            }
            Ok(count)
        })
    }

    fn delete_all<M: Changeable>(&self, spec: QuerySpec) -> Answer<u64> {
        let memory = self.clone();
        Answer::new(async move {
            let found = memory.found(&spec)?;
            for Found { database, key, .. } in &found {
                memory.write().change(*database, key, None);
            }
            Ok(found.len() as u64)
        })
    }
}
