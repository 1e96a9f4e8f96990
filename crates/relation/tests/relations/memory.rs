//! [`Memory`]: databases in memory, that count how often they are asked.

use crate::models::{NO, Row, registry};
use debros_core::{ID, Id, Map, ModelDef, NONCE, Role, Timestamp, UserId, Value};
use debros_query::{DatabaseId, Found, KeyRange, Reach, Registry, RowRef, RowRefs, Source, SourceError, encode_key};
use debros_relation::Loader;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

/// How often a source was asked.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) locates: AtomicUsize,
    pub(crate) scans: AtomicUsize,
    pub(crate) loads: AtomicUsize,
}

struct Database {
    model: &'static ModelDef,
    owner: Option<UserId>,
    shard: u32,
    rows: BTreeMap<Vec<u8>, Map>,
    indexes: Vec<BTreeSet<(Vec<u8>, Vec<u8>)>>,
}

/// Databases in memory, asked on behalf of a user or of none.
pub(crate) struct Memory {
    databases: Vec<Database>,
    pub(crate) user: Option<UserId>,
    pub(crate) admins: BTreeSet<UserId>,
    /// Does it find a row of one's own store before one whose id commits? Relations do not depend on it.
    pub(crate) own_first: bool,
    pub(crate) calls: Calls,
    pub(crate) registry: Registry,
    made: u64,
}

pub(crate) fn user(n: u8) -> UserId {
    UserId::from_bytes([n + 2; 33])
}

impl Memory {
    pub(crate) fn new(user: Option<UserId>) -> Memory {
        Memory {
            databases: Vec::new(),
            user,
            admins: BTreeSet::new(),
            own_first: true,
            calls: Calls::default(),
            registry: registry(),
            made: 0,
        }
    }

    pub(crate) fn loader(&self) -> Loader<'_> {
        Loader::new(self, &self.registry, self.user)
    }

    /// A record with a generated id that commits to `creator`.
    pub(crate) fn create(&mut self, row: Row, creator: UserId) -> Map {
        self.made += 1;
        let nonce = self.made.to_be_bytes();
        let id: Id<()> = Id::generate(&creator, Timestamp::from_millis(self.made as i64), nonce);
        let mut record = row.0;
        record.insert(ID, id.to_string());
        record.insert(NONCE, Value::Bytes(nonce.to_vec()));
        record
    }

    /// Creates a row in a store of `creator`, or in a global one.
    pub(crate) fn add(&mut self, model: &'static ModelDef, creator: UserId, row: Row) -> Found {
        let generated = matches!(model.key, [at] if model.fields[*at].role == Role::GeneratedKey);
        let record = if generated { self.create(row, creator) } else { row.0 };
        self.put(model, model.is_user_scoped().then_some(creator), record)
    }

    /// Puts a record into a store.
    pub(crate) fn put(&mut self, model: &'static ModelDef, owner: Option<UserId>, record: Map) -> Found {
        assert_eq!(owner.is_some(), model.is_user_scoped());
        let shard =
            model.sharding.map_or(0, |sharding| shard(record.field(model.stored_name(sharding.key)), sharding.count));
        let found =
            self.databases.iter().position(|d| d.model.path == model.path && d.owner == owner && d.shard == shard);
        let at = found.unwrap_or_else(|| {
            let indexes = vec![BTreeSet::new(); model.indexes.len()];
            self.databases.push(Database { model, owner, shard, rows: BTreeMap::new(), indexes });
            self.databases.len() - 1
        });
        let key = encode_key(model, record.field(ID));
        self.delete(DatabaseId(at as u32), &key);
        let database = &mut self.databases[at];
        for (index, rows) in model.indexes.iter().zip(&mut database.indexes) {
            rows.insert((values(model, index.fields, &record), key.clone()));
        }
        database.rows.insert(key.clone(), record.clone());
        Found { database: DatabaseId(at as u32), key, record }
    }

    pub(crate) fn delete(&mut self, database: DatabaseId, key: &[u8]) {
        let database = &mut self.databases[database.0 as usize];
        if let Some(record) = database.rows.remove(key) {
            for (index, rows) in database.model.indexes.iter().zip(&mut database.indexes) {
                rows.remove(&(values(database.model, index.fields, &record), key.to_vec()));
            }
        }
    }

    /// Every row of a model, with its owner.
    pub(crate) fn rows(&self, model: &'static ModelDef) -> Vec<Found> {
        let mut rows = Vec::new();
        for (at, database) in self.databases.iter().enumerate().filter(|(_, d)| d.model.path == model.path) {
            rows.extend(database.rows.iter().map(|(key, record)| Found {
                database: DatabaseId(at as u32),
                key: key.clone(),
                record: record.clone(),
            }));
        }
        rows
    }

    pub(crate) fn owner_of(&self, database: DatabaseId) -> Option<UserId> {
        self.databases[database.0 as usize].owner
    }

    pub(crate) fn reset(&self) {
        for calls in [&self.calls.locates, &self.calls.scans, &self.calls.loads] {
            calls.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn counted(&self) -> (usize, usize, usize) {
        let Calls { locates, scans, loads } = &self.calls;
        (locates.load(Ordering::Relaxed), scans.load(Ordering::Relaxed), loads.load(Ordering::Relaxed))
    }

    /// The index rows of a database within a range of values and key.
    fn index_rows(&self, at: usize, index: usize, range: &KeyRange) -> Vec<RowRef> {
        self.databases[at].indexes[index]
            .iter()
            .filter(|(values, key)| range.contains(&[&values[..], &key[..]].concat()))
            .map(|(values, key)| row_ref(at, values.clone(), key.clone()))
            .collect()
    }

    fn key_rows(&self, at: usize, range: &KeyRange) -> Vec<RowRef> {
        let keys = self.databases[at].rows.keys().filter(|key| range.contains(key));
        keys.map(|key| row_ref(at, Vec::new(), key.clone())).collect()
    }

    fn all(&self, model: &'static ModelDef) -> impl Iterator<Item = usize> {
        (0..self.databases.len()).filter(move |&at| self.databases[at].model.path == model.path)
    }
}

fn row_ref(at: usize, values: Vec<u8>, key: Vec<u8>) -> RowRef {
    RowRef { database: DatabaseId(at as u32), values, key, position: [0, 0] }
}

fn shard(value: &Value, count: u32) -> u32 {
    let mut bytes = Vec::new();
    debros_core::Collation::Plain.encode_whole(value, &mut bytes);
    bytes.iter().fold(7u32, |hash, byte| hash.wrapping_mul(31).wrapping_add((*byte).into())) % count
}

fn values(model: &'static ModelDef, fields: &[&'static str], record: &Map) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in fields {
        let field = model.field(name).expect(NO);
        field.kind.collation().encode(record.field(model.stored_name(field.name)), &mut bytes);
    }
    bytes
}

/// Does the record's id commit to its owner?
pub(crate) fn commits(model: &'static ModelDef, record: &Map, owner: &UserId) -> bool {
    let generated = matches!(model.key, [at] if model.fields[*at].role == Role::GeneratedKey);
    let Value::Bytes(nonce) = record.field(NONCE) else { return false };
    let id: Id<()> = record.field(ID).as_text().and_then(|id| id.parse().ok()).expect(NO);
    generated && id.commits_to(owner, nonce[..].try_into().expect(NO))
}

fn boxed<'a>(mut rows: Vec<RowRef>, reverse: bool) -> RowRefs<'a> {
    if reverse {
        rows.reverse();
    }
    Box::new(rows.into_iter().map(Ok))
}

impl Source for Memory {
    fn databases(&self, model: &'static ModelDef, reach: Reach) -> Result<Vec<DatabaseId>, SourceError> {
        let within = |at: &usize| {
            reach == Reach::Everywhere
                || !model.is_user_scoped()
                || self.databases[*at].owner.is_some_and(|owner| Some(owner) == self.user)
        };
        Ok(self.all(model).filter(within).map(|at| DatabaseId(at as u32)).collect())
    }

    fn shard_of(
        &self,
        model: &'static ModelDef,
        reach: Reach,
        value: &Value,
    ) -> Result<Option<Vec<DatabaseId>>, SourceError> {
        let Some(sharding) = model.sharding else { return Ok(None) };
        let shard = shard(value, sharding.count);
        let all = self.databases(model, reach)?.into_iter();
        Ok(Some(all.filter(|id| self.databases[id.0 as usize].shard == shard).collect()))
    }

    fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Map>, SourceError> {
        Ok(self.databases[database.0 as usize].rows.get(key).cloned())
    }

    fn locate(
        &self,
        model: &'static ModelDef,
        key: &[u8],
        reach: Reach,
        from: Option<&UserId>,
    ) -> Result<Option<(DatabaseId, Map)>, SourceError> {
        self.calls.locates.fetch_add(1, Ordering::Relaxed);
        let from = from.copied().or(self.user);
        let within = self.databases(model, reach)?;
        let rows = within.iter().filter_map(|&id| Some((id, self.databases[id.0 as usize].rows.get(key)?.clone())));
        let rows: Vec<(DatabaseId, Map)> = rows.collect();
        let own = |id: DatabaseId| from.is_some() && self.owner_of(id) == from;
        let meant = |id: DatabaseId, record: &Map| self.owner_of(id).is_none_or(|owner| commits(model, record, &owner));
        let (own, meant) = (rows.iter().find(|(id, _)| own(*id)), rows.iter().find(|(id, record)| meant(*id, record)));
        Ok(if self.own_first { own.or(meant) } else { meant.or(own) }.cloned())
    }

    fn scan_keys(&self, database: DatabaseId, range: &KeyRange, reverse: bool) -> RowRefs<'_> {
        self.calls.scans.fetch_add(1, Ordering::Relaxed);
        boxed(self.key_rows(database.0 as usize, range), reverse)
    }

    fn scan_index(
        &self,
        database: DatabaseId,
        model: &'static ModelDef,
        index: usize,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        self.calls.scans.fetch_add(1, Ordering::Relaxed);
        assert_eq!(self.databases[database.0 as usize].model.path, model.path);
        boxed(self.index_rows(database.0 as usize, index, range), reverse)
    }

    fn scan_everywhere(
        &self,
        model: &'static ModelDef,
        index: Option<usize>,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        self.calls.scans.fetch_add(1, Ordering::Relaxed);
        assert!(model.is_user_scoped());
        let mut rows: Vec<RowRef> = Vec::new();
        for at in self.all(model) {
            rows.extend(match index {
                // a range of values alone
                Some(index) => self.index_rows(at, index, range),
                None => self.key_rows(at, range),
            });
        }
        match index {
            // equal values in an order that means nothing
            Some(_) => rows.sort_by(|a, b| a.values.cmp(&b.values).then_with(|| b.database.cmp(&a.database))),
            None => rows.sort_by(|a, b| (&a.key, a.database).cmp(&(&b.key, b.database))),
        }
        boxed(rows, reverse)
    }

    fn load(&self, row: &RowRef) -> Result<Map, SourceError> {
        self.calls.loads.fetch_add(1, Ordering::Relaxed);
        Ok(self.databases[row.database.0 as usize].rows[&row.key].clone())
    }

    fn owner(&self, database: DatabaseId) -> Result<Option<UserId>, SourceError> {
        Ok(self.owner_of(database))
    }

    fn is_admin(&self, user: &UserId) -> Result<bool, SourceError> {
        Ok(self.admins.contains(user))
    }
}
