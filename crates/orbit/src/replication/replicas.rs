use super::replica::Replica;
use crate::{DatabaseId, agenda::Agenda};
use std::{collections::HashMap, time::Instant};

/// The databases that are replicated, and when something is to be done for which. With many databases, what happens to one costs what that
/// one does.
pub(super) struct Replicas {
    all: HashMap<DatabaseId, Replica>,
    agenda: Agenda<DatabaseId>,
    /// Those for which something may be due at another time than the agenda says.
    stirred: Vec<DatabaseId>,
}

impl Replicas {
    pub(super) fn new() -> Replicas {
        Replicas { all: HashMap::new(), agenda: Agenda::new(), stirred: Vec::new() }
    }

    pub(super) fn has(&self, database: DatabaseId) -> bool {
        self.all.contains_key(&database)
    }

    pub(super) fn get(&self, database: DatabaseId) -> Option<&Replica> {
        self.all.get(&database)
    }

    /// One to which something is happening.
    pub(super) fn get_mut(&mut self, database: DatabaseId) -> Option<&mut Replica> {
        let replica = self.all.get_mut(&database)?;
        self.stirred.push(database);
        Some(replica)
    }

    pub(super) fn add(&mut self, database: DatabaseId, replica: Replica) {
        self.all.insert(database, replica);
        self.stirred.push(database);
    }

    pub(super) fn remove(&mut self, database: DatabaseId) -> Option<Replica> {
        self.agenda.set(database, None);
        self.all.remove(&database)
    }

    /// When there is something to be done next.
    pub(super) fn next(&mut self) -> Option<Instant> {
        self.settle();
        self.agenda.next()
    }

    /// The next one for which something is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<&mut Replica> {
        self.settle();
        let database = self.agenda.take(now)?;
        self.get_mut(database)
    }

    /// Asks those to which something has happened when something is due.
    fn settle(&mut self) {
        for database in self.stirred.drain(..) {
            let due = self.all.get(&database).and_then(|replica| replica.replicator.next());
            self.agenda.set(database, due);
        }
    }
}
