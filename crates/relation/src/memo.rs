//! [`Memo`]: what a loader remembers while it serves one query.

use debros_core::{Expr, Map, ModelDef, UserId, Value};
use debros_query::{DatabaseId, Found, Reach};
use lru::LruCache;
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    hash::Hash,
    rc::Rc,
};

/// About how many bytes of rows are remembered.
const ROWS: usize = 16 << 20;
/// How many verdicts on rows are remembered.
const VERDICTS: usize = 1 << 16;
/// On how many predicates verdicts are remembered, and what they narrow to.
const PREDICATES: usize = 64;

/// A model and a key of it, with the user in whose store the reference stands where that matters.
pub(crate) type Reference = (&'static str, Vec<u8>, Option<UserId>);

/// A predicate, by number, and the place of a row.
type Judged = (usize, DatabaseId, Vec<u8>);
/// The databases of models, by the models' paths.
type Databases = HashMap<(&'static str, Reach), Rc<[DatabaseId]>>;

/// What a loader remembers while it serves one query, on one snapshot: so nothing of it goes out of date.
#[derive(Default)]
pub(crate) struct Memo {
    /// The owner of each database that was asked about.
    pub(crate) owners: RefCell<HashMap<DatabaseId, Option<UserId>>>,
    /// Who is an admin.
    pub(crate) admins: RefCell<HashMap<UserId, bool>>,
    /// The databases of each model that was asked about.
    pub(crate) databases: RefCell<Databases>,
    /// The models whose databases the coverage counts already.
    pub(crate) covered: RefCell<HashSet<(&'static str, Reach)>>,
    /// The rows that references mean.
    pub(crate) meant: RefCell<Weighed<Reference, Option<Rc<Found>>>>,
    predicates: RefCell<Vec<Expr>>,
    verdicts: RefCell<Weighed<Judged, bool>>,
    narrowings: RefCell<Vec<Narrowing>>,
}

/// What a predicate through a relation narrows to.
struct Narrowing {
    model: &'static str,
    relation: &'static str,
    mine: bool,
    expr: Expr,
    to: Option<Expr>,
}

impl Memo {
    /// Remembers which row a reference means.
    pub(crate) fn mean(&self, reference: Reference, row: Option<Rc<Found>>) {
        let weight = 128 + reference.1.len() + row.as_ref().map_or(0, |row| weight(&row.record));
        self.meant.borrow_mut().put(reference, row, weight, ROWS);
    }

    /// What a predicate through a relation narrows to, if that is remembered.
    pub(crate) fn narrowing(
        &self,
        model: &'static ModelDef,
        relation: &str,
        mine: bool,
        expr: &Expr,
    ) -> Option<Option<Expr>> {
        let all = self.narrowings.borrow();
        let same = |one: &&Narrowing| {
            one.model == model.path && one.relation == relation && one.mine == mine && one.expr == *expr
        };
        all.iter().find(same).map(|one| one.to.clone())
    }

    /// Remembers what a predicate through a relation narrows to: a query may be planned more than once.
    pub(crate) fn narrow(
        &self,
        model: &'static ModelDef,
        relation: &'static str,
        mine: bool,
        expr: &Expr,
        to: Option<Expr>,
    ) {
        let mut all = self.narrowings.borrow_mut();
        if all.len() < PREDICATES {
            all.push(Narrowing { model: model.path, relation, mine, expr: expr.clone(), to });
        }
    }

    /// The number under which verdicts on this predicate are remembered, if they are. Predicates of one model only may be equal in
    /// letters to another's, so the row's database tells them apart.
    pub(crate) fn predicate(&self, expr: &Expr) -> Option<usize> {
        let mut all = self.predicates.borrow_mut();
        if let Some(at) = all.iter().position(|one| one == expr) {
            return Some(at);
        }
        if all.len() == PREDICATES {
            return None;
        }
        all.push(expr.clone());
        Some(all.len() - 1)
    }

    /// Whether a predicate holds for a row, if that is remembered.
    pub(crate) fn verdict(&self, predicate: usize, row: &Found) -> Option<bool> {
        self.verdicts.borrow_mut().get(&(predicate, row.database, row.key.clone()))
    }

    /// Remembers whether a predicate holds for a row.
    pub(crate) fn judge(&self, predicate: usize, row: &Found, holds: bool) {
        self.verdicts.borrow_mut().put((predicate, row.database, row.key.clone()), holds, 1, VERDICTS);
    }
}

/// The entries used last, up to a weight.
pub(crate) struct Weighed<K: Eq + Hash, V> {
    entries: LruCache<K, (V, usize)>,
    weight: usize,
}

impl<K: Eq + Hash, V> Default for Weighed<K, V> {
    fn default() -> Weighed<K, V> {
        Weighed { entries: LruCache::unbounded(), weight: 0 }
    }
}

impl<K: Eq + Hash, V: Clone> Weighed<K, V> {
    /// The entry of this key.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        self.entries.get(key).map(|(value, _)| value.clone())
    }

    fn put(&mut self, key: K, value: V, weight: usize, limit: usize) {
        let before = self.entries.put(key, (value, weight)).map_or(0, |(_, before)| before);
        let mut all = self.weight + weight - before;
        while all > limit {
            let Some((_, (_, oldest))) = self.entries.pop_lru() else { break };
            all -= oldest;
        }
        self.weight = all;
    }
}

/// About how many bytes a record takes in memory.
fn weight(record: &Map) -> usize {
    record.iter().map(|(_, value)| 64 + bytes(value)).sum()
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.iter().map(|value| 32 + bytes(value)).sum(),
        Value::Map(map) => weight(map),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Link(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut memo = Weighed::default();
        for key in 0..3 {
            memo.put(key, key, 4, 12);
        }
        assert_eq!(memo.get(&0), Some(0));
        memo.put(3, 3, 4, 12);
        assert_eq!((memo.get(&0), memo.get(&1), memo.get(&3)), (Some(0), None, Some(3)));
        memo.put(3, 5, 12, 12);
        assert_eq!((memo.get(&0), memo.get(&3), memo.weight), (None, Some(5), 12));
        memo.put(4, 4, 13, 12);
        assert_eq!((memo.get(&4), memo.weight), (None, 0));
    }
}
