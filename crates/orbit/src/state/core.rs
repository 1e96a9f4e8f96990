//! [`Core`]: what all parts of a node share.

use super::{
    Author, FieldReader, Job, LogRow,
    sealed::{open_entry, value_of},
    tables::{ADDRESSES, ANY, AUTHORS, COUNTERS, DATABASES, IDENTITIES, LOGS, key_of},
};
use crate::{
    AccessController, Address, DatabaseId, DatabaseInfo, Encryption, EncryptionError, Hash, Limits, Schema,
    entry::EntryParts,
    journal_op::{JournalOp, JournalOpError},
};
use debros_core::{Map, Value};
use debros_ipfs::{Position, ReadState, StoreError, Table};
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// What all parts of a node share: the schema, and databases and authors that were read from committed state, where
/// they never change.
pub(crate) struct Core {
    pub(crate) schema: Arc<dyn Schema>,
    pub(crate) limits: Limits,
    /// The applications' own rules of who may write, by their type.
    pub(crate) controllers: HashMap<String, Arc<dyn AccessController>>,
    /// What is encrypted, by the address of the database.
    encryptions: RwLock<HashMap<Address, Encryption>>,
    /// Identities that entries named which were not kept for want of room, the last of them.
    missed_identities: Mutex<VecDeque<Hash>>,
    /// Some entry that is held back can be judged again.
    ready: AtomicBool,
    /// The databases with which something has happened, for whoever asks next.
    touched: Mutex<BTreeSet<DatabaseId>>,
    /// The authors that have written here since the folder was opened.
    written: RwLock<HashSet<u32>>,
    databases: RwLock<HashMap<DatabaseId, Arc<DatabaseInfo>>>,
    authors: RwLock<HashMap<u32, Arc<Author>>>,
    /// Rows of databases that were decoded before, whether they were committed or not: a row says the same wherever it
    /// stands.
    decoded: Mutex<HashMap<Vec<u8>, Arc<DatabaseInfo>>>,
}

/// Why state could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalOpError),
    #[error("an entry of the database `{database}` cannot be read: {source}; give the node the key of that database")]
    Sealed { database: String, source: EncryptionError },
    #[error(
        "the state of the data folder contradicts itself: {0}; delete `state.redb` in it while it is closed, and it is rebuilt from the segments"
    )]
    Broken(String),
}

/// So many identities are remembered of entries that were not kept.
const MISSED: usize = 256;

/// So many databases and authors are remembered at most; the rest are read again.
const REMEMBERED: usize = 4096;

impl Core {
    pub(crate) fn new(
        schema: Arc<dyn Schema>,
        limits: Limits,
        controllers: &[Arc<dyn AccessController>],
        encryptions: HashMap<Address, Encryption>,
    ) -> Core {
        Core {
            schema,
            limits,
            controllers: controllers.iter().map(|rule| (rule.kind().to_owned(), rule.clone())).collect(),
            encryptions: RwLock::new(encryptions),
            missed_identities: Mutex::default(),
            ready: AtomicBool::new(false),
            touched: Mutex::default(),
            written: RwLock::default(),
            databases: RwLock::default(),
            authors: RwLock::default(),
            decoded: Mutex::default(),
        }
    }

    /// How a database is encrypted: not at all, if nothing else was said.
    pub(crate) fn encryption(&self, database: &Address) -> Encryption {
        let encryptions = self.encryptions.read().unwrap_or_else(PoisonError::into_inner);
        encryptions.get(database).cloned().unwrap_or_default()
    }

    pub(crate) fn set_encryption(&self, database: Address, encryption: Encryption) {
        self.encryptions.write().unwrap_or_else(PoisonError::into_inner).insert(database, encryption);
    }

    /// An entry was not kept that names this identity.
    pub(crate) fn missed_identity(&self, identity: Hash) {
        let mut missed = self.missed_identities.lock().unwrap_or_else(PoisonError::into_inner);
        if !missed.contains(&identity) {
            if missed.len() >= MISSED {
                missed.pop_front();
            }
            missed.push_back(identity);
        }
    }

    /// The identities that entries named which were not kept.
    pub(crate) fn missed_identities(&self) -> Vec<Hash> {
        self.missed_identities.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Something happens with this database, in a group that is not committed yet.
    pub(crate) fn touch(&self, database: DatabaseId) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(database);
    }

    /// The databases with which something has happened since this was asked last.
    #[cfg(feature = "network")]
    pub(crate) fn take_touched(&self) -> BTreeSet<DatabaseId> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// This author writes here.
    pub(crate) fn writes_here(&self, author: &Author) {
        if !self.written.read().unwrap_or_else(PoisonError::into_inner).contains(&author.number) {
            self.written.write().unwrap_or_else(PoisonError::into_inner).insert(author.number);
        }
    }

    /// Has this author written here since the folder was opened?
    #[cfg(feature = "network")]
    pub(crate) fn is_written_here(&self, author: &Author) -> bool {
        self.written.read().unwrap_or_else(PoisonError::into_inner).contains(&author.number)
    }

    /// Some entry that is held back can be judged again.
    pub(crate) fn something_is_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Is there something to judge again since this was asked last?
    pub(crate) fn take_ready(&self) -> bool {
        self.ready.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn info(&self, state: &dyn ReadState, id: DatabaseId) -> Result<Option<Arc<DatabaseInfo>>, StateError> {
        if let Some(info) = self.databases.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(info.clone()));
        }
        let Some(row) = state.get(DATABASES, &id.0.to_be_bytes())? else { return Ok(None) };
        let mut decoded = self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = decoded.get(&row) {
            return Ok(Some(info.clone()));
        }
        let info = Arc::new(info_from_bytes(&row)?);
        if decoded.len() >= REMEMBERED {
            decoded.clear();
        }
        decoded.insert(row, info.clone());
        Ok(Some(info))
    }

    /// The author of this number.
    pub(crate) fn author(&self, state: &dyn ReadState, number: u32) -> Result<Arc<Author>, StateError> {
        if let Some(author) = self.authors.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Ok(author.clone());
        }
        let row = state.get(AUTHORS, &number.to_be_bytes())?;
        let author = row.and_then(|row| Author::from_bytes(number, &row));
        author.map(Arc::new).ok_or_else(|| StateError::Broken(format!("it has no identity {number}")))
    }

    /// Keeps what was read from a committed state.
    pub(crate) fn remember_database(&self, info: &Arc<DatabaseInfo>) {
        let mut known = self.databases.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(info.id, info.clone());
    }

    /// Keeps what was read from a committed state.
    pub(crate) fn remember_author(&self, author: &Arc<Author>) {
        let mut known = self.authors.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(author.number, author.clone());
    }

    /// The author with this identity block.
    pub(crate) fn author_of(&self, state: &dyn ReadState, identity: &Hash) -> Result<Option<Arc<Author>>, StateError> {
        let number = number_at(state, IDENTITIES, identity.digest())?;
        number.map(|number| self.author(state, number)).transpose()
    }

    pub(crate) fn log(&self, state: &dyn ReadState, id: DatabaseId) -> Result<LogRow, StateError> {
        match state.get(LOGS, &key_of(id, &[]))? {
            None => Ok(LogRow::default()),
            Some(row) => LogRow::from_bytes(&row)
                .ok_or_else(|| StateError::Broken(format!("the heads of database {id} are unreadable"))),
        }
    }
}

/// The number of a database, in a row that holds one.
pub(crate) fn database_number(row: &[u8]) -> Result<DatabaseId, StateError> {
    let number = row.try_into().map(u32::from_be_bytes);
    number.map(DatabaseId).map_err(|_| StateError::Broken("a row is no number of a database".to_owned()))
}

/// The number in a row that holds one.
pub(crate) fn number_at(state: &dyn ReadState, table: Table, key: &[u8]) -> Result<Option<u32>, StateError> {
    let Some(row) = state.get(table, key)? else { return Ok(None) };
    let number = row.try_into().map(u32::from_be_bytes);
    number.map(Some).map_err(|_| StateError::Broken(format!("a row of `{table}` is no number")))
}

/// The database with this address, whether or not it was dropped since.
pub(crate) fn database_with(state: &dyn ReadState, address: &Address) -> Result<Option<DatabaseId>, StateError> {
    Ok(number_at(state, ADDRESSES, address.manifest().digest())?.map(DatabaseId))
}

/// The next number of a counter: `d`atabases, `f`amilies, `a`uthors.
pub(crate) fn counter(state: &dyn ReadState, which: &str) -> Result<u32, StateError> {
    Ok(number_at(state, COUNTERS, which.as_bytes())?.unwrap_or(0))
}

/// The counter of the entries of all databases, of 64 bits.
const ALL_ENTRIES: &[u8] = b"e";

/// One more has joined.
pub(crate) fn count_entry(job: &mut dyn Job) -> Result<(), StateError> {
    let entries = all_entries(job.as_state())?;
    job.put(COUNTERS, ALL_ENTRIES.to_vec(), (entries + 1).to_be_bytes().to_vec());
    Ok(())
}

/// How many entries all databases have together.
pub(crate) fn all_entries(state: &dyn ReadState) -> Result<u64, StateError> {
    let Some(row) = state.get(COUNTERS, ALL_ENTRIES)? else { return Ok(0) };
    let number = row.try_into().map(u64::from_be_bytes);
    number.map_err(|_| StateError::Broken("the count of all entries is unreadable".to_owned()))
}

/// The number that the next database gets.
pub(crate) fn next_database(state: &dyn ReadState) -> Result<u32, StateError> {
    counter(state, "d")
}

/// A database's row: the number of its family, that of the database that says who may write it (or the largest number
/// there is), then what the journal says of it.
pub(crate) fn info_to_bytes(family: u32, controller: Option<DatabaseId>, op: &JournalOp) -> Vec<u8> {
    let controller = controller.unwrap_or(ANY);
    [&family.to_be_bytes()[..], &controller.0.to_be_bytes(), &op.to_bytes()].concat()
}

fn info_from_bytes(row: &[u8]) -> Result<DatabaseInfo, StateError> {
    let broken = || StateError::Broken("a row of `databases` is unreadable".to_owned());
    let mut fields = FieldReader::new(row);
    let family = fields.array().map(u32::from_be_bytes).ok_or_else(broken)?;
    let controller = DatabaseId(fields.array().map(u32::from_be_bytes).ok_or_else(broken)?);
    let JournalOp::DatabaseOpened { id, manifest, spec } = JournalOp::from_bytes(fields.rest())? else {
        return Err(broken());
    };
    let address = Address::of(manifest);
    let controller = (controller != ANY).then_some(controller);
    Ok(DatabaseInfo { id, address, log: address.to_string(), spec, family, controller })
}

/// The value of the entry whose block is at `position`.
pub(crate) fn load_value(core: &Core, state: &dyn ReadState, position: Position) -> Result<Value, StateError> {
    let block = open_entry(core, state, position, state.block_at(position)?)?;
    let unreadable =
        |e: &dyn std::fmt::Display| StateError::Broken(format!("the entry at {position} is unreadable: {e}"));
    let parts = EntryParts::parse(&block).map_err(|e| unreadable(&e))?;
    value_of(core, &parts)
}

/// The record of the entry whose block is at `position`; empty, if its value is no record.
pub(crate) fn load_record(core: &Core, state: &dyn ReadState, position: Position) -> Result<Map, StateError> {
    match load_value(core, state, position)? {
        Value::Map(record) => Ok(record),
        _ => Ok(Map::new()),
    }
}
