//! The parents of rows.

use crate::{
    Loader,
    edge::{Edge, named_key},
};
use debros_core::{Expr, IncludeSpec};
use debros_query::{DatabaseId, Found, QueryError, encode_key};
use std::{collections::HashMap, rc::Rc};

/// The parents of some rows, each parent once.
pub(crate) struct Parents {
    pub(crate) rows: Vec<Rc<Found>>,
    /// Of each row that was asked for.
    pub(crate) of: Vec<Parent>,
}

/// The parent of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    /// The one at this place.
    At(usize),
    /// It is not here, or the row names none.
    Absent,
    /// It is here, and the include does not want it.
    Unwanted,
}

impl Loader<'_> {
    /// The parents of these rows: one lookup for each different reference.
    pub(crate) fn parents(&self, edge: Edge, rows: &[&Found], spec: &IncludeSpec) -> Result<Parents, QueryError> {
        let Edge { from, target, relation, .. } = edge;
        let mut references = Vec::with_capacity(rows.len());
        for row in rows {
            references.push(match named_key(from, relation.keys, &row.record) {
                Some(key) => Some((key, self.referrer(target, row.database)?)),
                None => None,
            });
        }
        let meanings = self.meanings(target, references.iter().flatten().cloned())?;
        let mut parents = Parents { rows: Vec::new(), of: Vec::with_capacity(rows.len()) };
        let mut places: HashMap<(DatabaseId, Vec<u8>), Parent> = HashMap::new();
        for reference in references {
            let meant = reference.and_then(|(key, from)| meanings.get(&(encode_key(target, &key), from))?.clone());
            let Some(row) = meant else {
                parents.of.push(Parent::Absent);
                continue;
            };
            let place = (row.database, row.key.clone());
            let parent = match places.get(&place) {
                Some(parent) => *parent,
                None => {
                    let parent = match self.wants(edge, spec, &row)? {
                        true => Parent::At(parents.rows.len()),
                        false => Parent::Unwanted,
                    };
                    if parent != Parent::Unwanted {
                        parents.rows.push(row);
                    }
                    places.insert(place, parent);
                    parent
                }
            };
            parents.of.push(parent);
        }
        Ok(parents)
    }

    /// Does an include want this row?
    pub(crate) fn wants(&self, edge: Edge, spec: &IncludeSpec, row: &Found) -> Result<bool, QueryError> {
        Ok(spec.limit != Some(0) && self.admits(edge, &spec.filter, spec.mine, row)?)
    }

    /// Is this row one that the predicate and `.mine()` admit?
    pub(crate) fn admits(&self, edge: Edge, filter: &Expr, mine: bool, row: &Found) -> Result<bool, QueryError> {
        Ok((!mine || self.is_mine(row.database)?) && self.test(edge.target, filter, row)?)
    }
}
