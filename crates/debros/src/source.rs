//! [`NodeSource`]: what queries read, from one state of the node.

use crate::stores::{Key, Rows, Stores};
use debros_core::{Map, ModelDef, UserId, Value};
use debros_orbit::{Position, ReadDocuments, ReadError, StoreError};
use debros_query::{DatabaseId, KeyRange, Reach, RowRef, RowRefs, Source, SourceError};
use debros_shard::{Opening, Place, shard_of};
use std::cell::Cell;

#[cfg(test)]
mod oracle;

/// What queries read, from one state of the node, on behalf of one user or none.
pub(crate) struct NodeSource<'r, S: ?Sized> {
    rows: Rows<'r, S>,
    user: Option<UserId>,
    /// How much may still be read where it must not take long, in rows of an index.
    budget: Cell<Option<u32>>,
}

/// More rows were asked for than may be read here.
#[derive(Debug, thiserror::Error)]
#[error("this query reads more rows than it may in this place")]
struct OverBudget;

/// What it costs to read a record, in units of a row of an index.
const RECORD: u32 = 16;

/// Of more databases than this, a shard of everybody's is not picked out.
const MANY: usize = 256;

/// How many databases are asked how many rows they have, for a guess at all of them.
const SAMPLE: usize = 64;

impl<'r, S: ReadDocuments + ?Sized> NodeSource<'r, S> {
    /// Of a committed state.
    pub(crate) fn new(stores: &'r Stores, state: &'r S, user: Option<UserId>) -> NodeSource<'r, S> {
        NodeSource { rows: Rows { stores, state, opening: None }, user, budget: Cell::new(None) }
    }

    /// Of the state that a job of the writer is making.
    pub(crate) fn within(
        stores: &'r Stores,
        state: &'r S,
        opening: &'r Opening<'r>,
        user: UserId,
    ) -> NodeSource<'r, S> {
        NodeSource { rows: Rows { stores, state, opening: Some(opening) }, user: Some(user), budget: Cell::new(None) }
    }

    /// Lets so much be read, in rows of an index, then fails; `None`: anything.
    pub(crate) fn with_budget(self, rows: Option<u32>) -> NodeSource<'r, S> {
        self.budget.set(rows);
        self
    }

    /// Did it fail for want of budget?
    pub(crate) fn is_over_budget(&self) -> bool {
        self.budget.get() == Some(0)
    }

    fn spend(&self, units: u32) -> Result<(), SourceError> {
        match self.budget.get() {
            None => Ok(()),
            Some(left) if left > units => {
                self.budget.set(Some(left - units));
                Ok(())
            }
            Some(_) => {
                self.budget.set(Some(0));
                Err(SourceError::read(OverBudget))
            }
        }
    }

    fn user_of(&self, reach: Reach) -> Option<&UserId> {
        self.user.as_ref().filter(|_| reach == Reach::Own)
    }

    fn refs<'a>(&'a self, rows: debros_orbit::RowRefs<'a>) -> RowRefs<'a> {
        Box::new(rows.map(|row| {
            let row = row.map_err(error)?;
            self.spend(1)?;
            let (database, position) = (id(row.database), pack(row.position));
            let (values, key) = row.into_parts();
            Ok(RowRef { database, values, key, position })
        }))
    }
}

impl<S: ReadDocuments + ?Sized> Source for NodeSource<'_, S> {
    fn databases(&self, model: &'static ModelDef, reach: Reach) -> Result<Vec<DatabaseId>, SourceError> {
        let databases = match reach {
            Reach::Own => self.rows.of_user(model, self.user.as_ref()),
            Reach::Everywhere => self.rows.everywhere(model),
        };
        Ok(databases.map_err(error)?.into_iter().map(id).collect())
    }

    fn shard_of(
        &self,
        model: &'static ModelDef,
        reach: Reach,
        value: &Value,
    ) -> Result<Option<Vec<DatabaseId>>, SourceError> {
        let Some(sharding) = model.sharding else { return Ok(None) };
        // a value without stored form is in no shard
        let Ok(shard) = shard_of(value, sharding.count) else { return Ok(Some(Vec::new())) };
        if !model.is_user_scoped() || reach == Reach::Own {
            let Some(place) = Place::new(model, self.user_of(Reach::Own), shard) else { return Ok(Some(Vec::new())) };
            return Ok(Some(self.rows.find(&place).map_err(error)?.into_iter().map(id).collect()));
        }
        let all = self.rows.everywhere(model).map_err(error)?;
        if all.len() > MANY {
            // to ask each database which shard it is takes longer than to read them all in one scan
            return Ok(None);
        }
        let application = self.rows.stores.databases.application();
        let mut found = Vec::new();
        for database in all {
            let user = self.rows.owner(database).map_err(error)?;
            let name = application.database_name(model, user.as_ref(), shard).to_string();
            if self.rows.state.info(database).map_err(error)?.spec.name == name {
                found.push(id(database));
            }
        }
        Ok(Some(found))
    }

    fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Map>, SourceError> {
        self.spend(RECORD)?;
        let document = self.rows.state.get(orbit_id(database), key).map_err(error)?;
        Ok(document.filter(|document| document.problem.is_none()).map(|document| document.record))
    }

    fn locate(
        &self,
        model: &'static ModelDef,
        key: &[u8],
        reach: Reach,
        from: Option<&UserId>,
    ) -> Result<Option<(DatabaseId, Map)>, SourceError> {
        self.spend(RECORD)?;
        let home = if reach == Reach::Own { self.user.as_ref() } else { from.or(self.user.as_ref()) };
        let found = self.rows.locate(model, &Key::encoded(model, key), reach, home).map_err(error)?;
        let found = found.filter(|found| found.document.problem.is_none());
        Ok(found.map(|found| (id(found.database), found.document.record)))
    }

    fn scan_keys(&self, database: DatabaseId, range: &KeyRange, reverse: bool) -> RowRefs<'_> {
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let database = orbit_id(database);
        self.refs(self.rows.state.scan_keys(database, &range.start, range.end.as_deref(), reverse))
    }

    fn scan_index(
        &self,
        database: DatabaseId,
        _model: &'static ModelDef,
        index: usize,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        let Ok(index) = u16::try_from(index) else { return Box::new(std::iter::empty()) };
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let database = orbit_id(database);
        self.refs(self.rows.state.scan_index(database, index, &range.start, range.end.as_deref(), reverse))
    }

    fn scan_everywhere(
        &self,
        model: &'static ModelDef,
        index: Option<usize>,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        let Ok(index) = index.map(u16::try_from).transpose() else { return Box::new(std::iter::empty()) };
        if range.is_empty() {
            return Box::new(std::iter::empty());
        }
        let end = range.end.as_deref();
        self.refs(self.rows.state.scan_family(&self.rows.stores.family(model), index, &range.start, end, reverse))
    }

    fn load(&self, row: &RowRef) -> Result<Map, SourceError> {
        self.spend(RECORD)?;
        self.rows.state.load(unpack(row.position)).map_err(error)
    }

    fn owner(&self, database: DatabaseId) -> Result<Option<UserId>, SourceError> {
        self.rows.owner(orbit_id(database)).map_err(error)
    }

    fn is_admin(&self, user: &UserId) -> Result<bool, SourceError> {
        Ok(self.rows.stores.databases.application().is_admin(user))
    }

    fn count(&self, database: DatabaseId) -> Result<Option<u64>, SourceError> {
        self.rows.state.count(orbit_id(database)).map(Some).map_err(error)
    }

    fn size_hint(&self, model: &'static ModelDef, reach: Reach) -> Option<u64> {
        let databases = self.databases(model, reach).ok()?;
        let mut rows = 0;
        for database in databases.iter().take(SAMPLE) {
            rows += self.rows.state.count(orbit_id(*database)).ok()?;
        }
        let sampled = databases.len().clamp(1, SAMPLE) as u64;
        Some(rows * databases.len().max(1) as u64 / sampled)
    }
}

fn id(database: debros_orbit::DatabaseId) -> DatabaseId {
    DatabaseId(database.0)
}
fn orbit_id(database: DatabaseId) -> debros_orbit::DatabaseId {
    debros_orbit::DatabaseId(database.0)
}

fn pack(position: Position) -> [u64; 2] {
    [u64::from(position.segment) << 32 | u64::from(position.offset), position.len.into()]
}
fn unpack([place, len]: [u64; 2]) -> Position {
    Position { segment: (place >> 32) as u32, offset: place as u32, len: len as u32 }
}

/// A failure to read, as queries know it.
pub(crate) fn error(error: ReadError) -> SourceError {
    match error {
        ReadError::Store(StoreError::Closed { .. }) => SourceError::Closed,
        other => SourceError::read(other),
    }
}
