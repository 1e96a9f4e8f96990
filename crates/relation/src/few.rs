//! The rows that match a predicate, if an index finds them and they are few.

use crate::Loader;
use debros_core::{Expr, Map, ModelDef, UserId, Value};
use debros_query::{
    Answered, DatabaseId, End, Executor, Found, KeyRange, Lookup, QueryError, QuerySpec, Reach, RowRef, RowRefs,
    Source, SourceError,
};
use std::cell::Cell;

impl Loader<'_> {
    /// The rows of `model` that match, if an index finds them while at most `limit` rows are read.
    pub(crate) fn few(
        &self,
        model: &'static ModelDef,
        filter: &Expr,
        reach: Reach,
        limit: usize,
    ) -> Result<Option<Vec<Found>>, QueryError> {
        // whatever is missing, the query that is narrowed says
        let spec = QuerySpec { filter: filter.clone(), reach, partial: true, ..QuerySpec::new(model) };
        let plan = Executor::new(self.source, self).run(&spec, &End::Explain)?;
        match plan.found {
            Answered::Explained(plan) => match plan.lookup {
                Lookup::Nothing => return Ok(Some(Vec::new())),
                Lookup::Scans(scans) if scans.iter().all(|scan| !scan.fixed.is_empty() || scan.range.is_some()) => {}
                _ => return Ok(None),
            },
            _ => return Ok(None),
        }
        let bounded = Bounded { source: self.source, left: Cell::new(limit), stopped: Cell::new(false) };
        let found = Executor::new(&bounded, self).found(&spec)?.collect::<Result<Vec<Found>, QueryError>>();
        match found {
            Err(_) if bounded.stopped.get() => Ok(None),
            found => found.map(Some),
        }
    }
}

/// A source that gives so many rows and then an error.
struct Bounded<'s> {
    source: &'s dyn Source,
    left: Cell<usize>,
    stopped: Cell<bool>,
}

impl Source for Bounded<'_> {
    fn load(&self, row: &RowRef) -> Result<Map, SourceError> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                self.source.load(row)
            }
            None => {
                self.stopped.set(true);
                Err(SourceError::read("more rows match than were to be read"))
            }
        }
    }

    fn databases(&self, model: &'static ModelDef, reach: Reach) -> Result<Vec<DatabaseId>, SourceError> {
        self.source.databases(model, reach)
    }

    fn shard_of(
        &self,
        model: &'static ModelDef,
        reach: Reach,
        value: &Value,
    ) -> Result<Option<Vec<DatabaseId>>, SourceError> {
        self.source.shard_of(model, reach, value)
    }

    fn get(&self, database: DatabaseId, key: &[u8]) -> Result<Option<Map>, SourceError> {
        self.source.get(database, key)
    }

    fn locate(
        &self,
        model: &'static ModelDef,
        key: &[u8],
        reach: Reach,
        from: Option<&UserId>,
    ) -> Result<Option<(DatabaseId, Map)>, SourceError> {
        self.source.locate(model, key, reach, from)
    }

    fn scan_keys(&self, database: DatabaseId, range: &KeyRange, reverse: bool) -> RowRefs<'_> {
        self.source.scan_keys(database, range, reverse)
    }

    fn scan_index(
        &self,
        database: DatabaseId,
        model: &'static ModelDef,
        index: usize,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        self.source.scan_index(database, model, index, range, reverse)
    }

    fn scan_everywhere(
        &self,
        model: &'static ModelDef,
        index: Option<usize>,
        range: &KeyRange,
        reverse: bool,
    ) -> RowRefs<'_> {
        self.source.scan_everywhere(model, index, range, reverse)
    }

    fn owner(&self, database: DatabaseId) -> Result<Option<UserId>, SourceError> {
        self.source.owner(database)
    }

    fn is_admin(&self, user: &UserId) -> Result<bool, SourceError> {
        self.source.is_admin(user)
    }

    fn missing(&self, model: &'static ModelDef, reach: Reach) -> Result<usize, SourceError> {
        self.source.missing(model, reach)
    }

    fn count(&self, database: DatabaseId) -> Result<Option<u64>, SourceError> {
        self.source.count(database)
    }

    fn size_hint(&self, model: &'static ModelDef, reach: Reach) -> Option<u64> {
        self.source.size_hint(model, reach)
    }
}
