//! [`MemorySource`]: databases in memory, in real index order.

use crate::{DatabaseId, KeyRange, Reach, RowRef, RowRefs, Source, SourceError, encode_key};
use debros_core::{ID, Id, Map, ModelDef, NONCE, UserId, Value};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Databases in memory, in real index order: keys and index rows are the bytes that an embedded store would hold.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    models: Vec<&'static ModelDef>,
    me: Option<UserId>,
    databases: Vec<Database>,
    missing: HashMap<&'static str, usize>,
    counted: bool,
    reads: Arc<Counters>,
}

#[derive(Clone, Debug)]
struct Database {
    model: &'static ModelDef,
    owner: Option<UserId>,
    shard: u64,
    rows: BTreeMap<Vec<u8>, Map>,
    /// For each index, its rows: values and key, and how long the values are.
    indexes: Vec<BTreeMap<Vec<u8>, usize>>,
}

#[derive(Debug, Default)]
struct Counters {
    scanned: AtomicU64,
    loaded: AtomicU64,
}

/// How much was read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadCounts {
    /// Rows of indexes, and keys.
    pub scanned: u64,
    /// Records.
    pub loaded: u64,
}

impl MemorySource {
    /// No rows, of these models.
    pub fn new(models: impl IntoIterator<Item = &'static ModelDef>) -> MemorySource {
        MemorySource { models: models.into_iter().collect(), ..MemorySource::default() }
    }

    /// The same databases, read on behalf of this user.
    #[must_use]
    pub fn as_user(&self, user: Option<UserId>) -> MemorySource {
        MemorySource { me: user, ..self.clone() }
    }

    /// Knows its numbers of rows without counting.
    #[must_use]
    pub fn counted(mut self) -> MemorySource {
        self.counted = true;
        self
    }

    /// Says that so many databases of a model are known and not held.
    pub fn lack(&mut self, model: &'static ModelDef, databases: usize) {
        self.missing.insert(model.path, databases);
    }

    /// How much was read so far, from this source and its clones.
    pub fn reads(&self) -> ReadCounts {
        ReadCounts {
            scanned: self.reads.scanned.load(Ordering::Relaxed),
            loaded: self.reads.loaded.load(Ordering::Relaxed),
        }
    }

    /// The model of this path.
    pub fn model(&self, path: &str) -> Option<&'static ModelDef> {
        self.models.iter().copied().find(|model| model.path == path)
    }

    /// Puts a record in place of the one of its key. Its database is made with its first record.
    pub fn insert(&mut self, model: &'static ModelDef, owner: Option<UserId>, record: Map) -> DatabaseId {
        let owner = owner.filter(|_| model.is_user_scoped());
        let shard = shard(model, &record);
        let at = self.find(model, owner, shard).unwrap_or_else(|| {
            let indexes = vec![BTreeMap::new(); model.indexes.len()];
            self.databases.push(Database { model, owner, shard, rows: BTreeMap::new(), indexes });
            self.databases.len() - 1
        });
        let database = &mut self.databases[at];
        let key = encode_key(model, record.field(ID));
        database.remove(&key);
        for (position, rows) in database.indexes.iter_mut().enumerate() {
            let mut row = index_values(model, position, &record);
            let length = row.len();
            row.extend(&key);
            rows.insert(row, length);
        }
        database.rows.insert(key, record);
        DatabaseId(at as u32)
    }

    /// Takes the record out that has the key of this one, and its shard.
    pub fn remove(&mut self, model: &'static ModelDef, owner: Option<UserId>, record: &Map) -> Option<Map> {
        let owner = owner.filter(|_| model.is_user_scoped());
        let at = self.find(model, owner, shard(model, record))?;
        self.databases[at].remove(&encode_key(model, record.field(ID)))
    }

    /// Puts a record into the database that holds it already, or takes it out.
    pub(super) fn change(&mut self, database: DatabaseId, key: &[u8], record: Option<Map>) {
        let Some(held) = self.databases.get_mut(database.0 as usize) else { return };
        held.remove(key);
        if let Some(record) = record {
            let (model, owner) = (held.model, held.owner);
            self.insert(model, owner, record);
        }
    }

    fn find(&self, model: &'static ModelDef, owner: Option<UserId>, shard: u64) -> Option<usize> {
        let is = |held: &Database| held.model.path == model.path && held.owner == owner && held.shard == shard;
        self.databases.iter().position(is)
    }

    fn reached(&self, model: &'static ModelDef, reach: Reach) -> impl Iterator<Item = (DatabaseId, &Database)> {
        let held = self.databases.iter().enumerate().map(|(at, database)| (DatabaseId(at as u32), database));
        held.filter(move |(_, database)| {
            let own = database.owner.is_none() || database.owner == self.me;
            database.model.path == model.path && (reach == Reach::Everywhere || own)
        })
    }

    fn scanned(&self, database: DatabaseId, values: &[u8], key: &[u8]) -> RowRef {
        self.reads.scanned.fetch_add(1, Ordering::Relaxed);
        RowRef { database, values: values.to_vec(), key: key.to_vec(), position: [0, 0] }
    }
}

impl Database {
    fn remove(&mut self, key: &[u8]) -> Option<Map> {
        let record = self.rows.remove(key)?;
        for (position, rows) in self.indexes.iter_mut().enumerate() {
            let mut row = index_values(self.model, position, &record);
            row.extend(key);
            rows.remove(&row);
        }
        Some(record)
    }
}

fn index_values(model: &'static ModelDef, position: usize, record: &Map) -> Vec<u8> {
    let mut values = Vec::new();
    for field in model.indexes[position].fields.iter().filter_map(|name| model.field(name)) {
        field.kind.collation().encode(record.field(model.stored_name(field.name)), &mut values);
    }
    values
}

/// The number of the database of a record; any function of its shard key would do.
fn shard(model: &'static ModelDef, record: &Map) -> u64 {
    let Some(sharding) = model.sharding else { return 0 };
    let value = model.field(sharding.key).map_or(&Value::Null, |field| record.field(model.stored_name(field.name)));
    shard_of_value(value, sharding.count)
}

fn shard_of_value(value: &Value, count: u32) -> u64 {
    let bytes = value.to_dag_cbor().unwrap_or_default();
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 7) % u64::from(count.max(1))
}

fn within<'m, V>(
    rows: &'m BTreeMap<Vec<u8>, V>,
    range: &KeyRange,
    reverse: bool,
) -> Box<dyn Iterator<Item = (&'m Vec<u8>, &'m V)> + 'm> {
    if range.is_empty() {
        return Box::new(std::iter::empty());
    }
    let end = range.end.as_ref().map_or(Bound::Unbounded, |end| Bound::Excluded(end.clone()));
    let rows = rows.range((Bound::Included(range.start.clone()), end));
    if reverse { Box::new(rows.rev()) } else { Box::new(rows) }
}

impl Source for MemorySource {
    fn databases(&self, model: &'static ModelDef, reach: Reach) -> Result<Vec<DatabaseId>, SourceError> {
        Ok(self.reached(model, reach).map(|(id, _)| id).collect())
    }

    fn shard_of(
        &self,
        model: &'static ModelDef,
        reach: Reach,
        value: &Value,
    ) -> Result<Option<Vec<DatabaseId>>, SourceError> {
        let Some(sharding) = model.sharding else { return Ok(None) };
        let shard = shard_of_value(value, sharding.count);
        let held = self.reached(model, reach).filter(|(_, database)| database.shard == shard);
        Ok(Some(held.map(|(id, _)| id).collect()))
    }

    fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Map>, SourceError> {
        self.reads.loaded.fetch_add(1, Ordering::Relaxed);
        Ok(self.databases.get(database.0 as usize).and_then(|held| held.rows.get(key)).cloned())
    }

    fn locate(
        &self,
        model: &'static ModelDef,
        key: &[u8],
        reach: Reach,
        from: Option<&UserId>,
    ) -> Result<Option<(DatabaseId, Map)>, SourceError> {
        let from = from.copied().or(self.me);
        let mut found = None;
        for (id, database) in self.reached(model, reach) {
            let Some(record) = database.rows.get(key) else { continue };
            let meant = match database.owner {
                None => true,
                Some(owner) => from == Some(owner) || commits(record, &owner),
            };
            if meant && (found.is_none() || database.owner == from) {
                found = Some((id, record.clone()));
            }
        }
        Ok(found)
    }

    fn scan_keys(&self, database: DatabaseId, range: &KeyRange, reverse: bool) -> RowRefs<'_> {
        match self.databases.get(database.0 as usize) {
            None => Box::new(std::iter::empty()),
            Some(held) => {
                Box::new(within(&held.rows, range, reverse).map(move |(key, _)| Ok(self.scanned(database, &[], key))))
            }
        }
    }

    fn scan_index(
        &self,
        database: DatabaseId,
        _: &'static ModelDef,
        index: usize,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        match self.databases.get(database.0 as usize).and_then(|held| held.indexes.get(index)) {
            None => Box::new(std::iter::empty()),
            Some(rows) => Box::new(within(rows, range, reverse).map(move |(row, length)| {
                let (values, key) = row.split_at(*length);
                Ok(self.scanned(database, values, key))
            })),
        }
    }

    fn scan_everywhere(
        &self,
        model: &'static ModelDef,
        index: Option<usize>,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        let mut rows: Vec<(Vec<u8>, DatabaseId, &[u8])> = Vec::new();
        for (id, database) in self.reached(model, Reach::Everywhere) {
            match index {
                None => rows.extend(within(&database.rows, range, false).map(|(key, _)| (key.clone(), id, &[][..]))),
                Some(index) => rows.extend(database.indexes[index].iter().filter_map(|(row, length)| {
                    let (values, key) = row.split_at(*length);
                    range.contains(values).then(|| (values.to_vec(), id, key))
                })),
            }
        }
        rows.sort();
        if reverse {
            rows.reverse();
        }
        Box::new(rows.into_iter().map(move |(first, database, key)| {
            Ok(match index {
                None => self.scanned(database, &[], &first),
                Some(_) => self.scanned(database, &first, key),
            })
        }))
    }

    fn load(&self, row: &RowRef) -> Result<Map, SourceError> {
        let record = self.get(row.database, &row.key)?;
        record.ok_or_else(|| SourceError::read("a row that was scanned is not there"))
    }

    fn owner(&self, database: DatabaseId) -> Result<Option<UserId>, SourceError> {
        Ok(self.databases.get(database.0 as usize).and_then(|held| held.owner))
    }

    fn is_admin(&self, _: &UserId) -> Result<bool, SourceError> {
        Ok(false)
    }

    fn missing(&self, model: &'static ModelDef, _: Reach) -> Result<usize, SourceError> {
        Ok(self.missing.get(model.path).copied().unwrap_or(0))
    }

    fn count(&self, database: DatabaseId) -> Result<Option<u64>, SourceError> {
        let held = self.databases.get(database.0 as usize).filter(|_| self.counted);
        Ok(held.map(|held| held.rows.len() as u64))
    }

    fn size_hint(&self, model: &'static ModelDef, reach: Reach) -> Option<u64> {
        Some(self.reached(model, reach).map(|(_, database)| database.rows.len() as u64).sum())
    }
}

fn commits(record: &Map, owner: &UserId) -> bool {
    let (Some(id), Value::Bytes(nonce)) = (record.field(ID).as_text(), record.field(NONCE)) else { return false };
    match (id.parse::<Id<()>>(), <[u8; 8]>::try_from(&nonce[..])) {
        (Ok(id), Ok(nonce)) => id.commits_to(owner, nonce),
        _ => false,
    }
}
