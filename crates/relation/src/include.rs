//! Loading relations with rows, level by level.

mod linked;
mod many;
mod raw_rows;

use crate::{
    Loader,
    belongs_to::Parent,
    edge::{Edge, Way},
    loader::reach,
};
use debros_core::{IncludeSpec, Included, ModelDef};
use debros_query::{Coverage, Found, QueryError, Reach};
use std::rc::Rc;

/// Why a row is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// A row that it requires is not here.
    Absent,
    /// A row that it requires is not one that was asked for.
    Unwanted,
}

/// What was loaded with a row, or why the row is left out.
type Outcome = Result<Vec<Included>, LeftOut>;

impl Loader<'_> {
    pub(crate) fn attached(
        &self,
        model: &'static ModelDef,
        rows: Vec<Found>,
        includes: &[IncludeSpec],
        coverage: &mut Coverage,
    ) -> Result<Vec<(Found, Vec<Included>)>, QueryError> {
        self.cover(model, includes, coverage)?;
        let refs: Vec<&Found> = rows.iter().collect();
        let outcomes = self.load(model, &refs, includes, &mut coverage.left_out)?;
        let mut kept = Vec::with_capacity(rows.len());
        for (row, outcome) in rows.into_iter().zip(outcomes) {
            match outcome {
                Ok(included) => kept.push((row, included)),
                Err(LeftOut::Absent) => coverage.left_out += 1,
                Err(LeftOut::Unwanted) => {}
            }
        }
        Ok(kept)
    }

    pub(crate) fn kept(
        &self,
        model: &'static ModelDef,
        rows: &[&Found],
        includes: &[IncludeSpec],
    ) -> Result<Vec<bool>, QueryError> {
        Ok(self.verdicts(model, rows, includes)?.into_iter().map(|left_out| left_out.is_none()).collect())
    }

    /// Counts the databases that the includes read, each model's once in a query.
    fn cover(
        &self,
        model: &'static ModelDef,
        includes: &[IncludeSpec],
        coverage: &mut Coverage,
    ) -> Result<(), QueryError> {
        for spec in includes {
            let edge = Edge::new(self.registry, model, spec.relation)?;
            let reach = reach(spec.mine);
            let links = match edge.way {
                Way::Links(table) => Some(table.links),
                Way::Parent | Way::Children => None,
            };
            for read in [Some(edge.target), links].into_iter().flatten() {
                let reach = if read.is_user_scoped() { reach } else { Reach::Own };
                if self.memo.covered.borrow_mut().insert((read.path, reach)) {
                    coverage.databases += self.databases(read, reach)?.len();
                    coverage.missing += self.source.missing(read, reach)?;
                }
            }
            self.cover(edge.target, &spec.includes, coverage)?;
        }
        Ok(())
    }

    /// Which of these rows are left out by what they require, and why; `None`: it stays.
    fn verdicts(
        &self,
        model: &'static ModelDef,
        rows: &[&Found],
        includes: &[IncludeSpec],
    ) -> Result<Vec<Option<LeftOut>>, QueryError> {
        let mut verdicts = vec![None; rows.len()];
        for spec in includes {
            let edge = Edge::new(self.registry, model, spec.relation)?;
            if !edge.is_required() {
                continue;
            }
            let staying: Vec<usize> = (0..rows.len()).filter(|&at| verdicts[at].is_none()).collect();
            let asked: Vec<&Found> = staying.iter().map(|&at| rows[at]).collect();
            let parents = self.parents(edge, &asked, spec)?;
            let refs: Vec<&Found> = parents.rows.iter().map(Rc::as_ref).collect();
            let above = self.verdicts(edge.target, &refs, &spec.includes)?;
            for (at, parent) in staying.into_iter().zip(parents.of) {
                verdicts[at] = match parent {
                    Parent::At(parent) => above[parent],
                    Parent::Absent => Some(LeftOut::Absent),
                    Parent::Unwanted => Some(LeftOut::Unwanted),
                };
            }
        }
        Ok(verdicts)
    }

    /// Can rows be left out by what these includes require?
    fn requires(&self, model: &'static ModelDef, includes: &[IncludeSpec]) -> Result<bool, QueryError> {
        for spec in includes {
            if Edge::new(self.registry, model, spec.relation)?.is_required() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is to be loaded with each of these rows. Counts the rows below them that are left out.
    fn load(
        &self,
        model: &'static ModelDef,
        rows: &[&Found],
        includes: &[IncludeSpec],
        left_out: &mut u64,
    ) -> Result<Vec<Outcome>, QueryError> {
        let mut loaded: Vec<Result<Vec<Option<Included>>, LeftOut>> = vec![Ok(vec![None; includes.len()]); rows.len()];
        let mut edges = Vec::with_capacity(includes.len());
        for (place, spec) in includes.iter().enumerate() {
            edges.push((place, spec, Edge::new(self.registry, model, spec.relation)?));
        }
        // what can leave rows out comes first: nothing else is loaded for those
        edges.sort_by_key(|(_, _, edge)| !edge.is_required());
        for (place, spec, edge) in edges {
            let staying: Vec<usize> = (0..rows.len()).filter(|&at| loaded[at].is_ok()).collect();
            let asked: Vec<&Found> = staying.iter().map(|&at| rows[at]).collect();
            let found = match edge.way {
                Way::Parent => self.load_parents(edge, &asked, spec, left_out)?,
                Way::Children | Way::Links(_) => self.load_many(edge, &asked, spec, left_out)?,
            };
            for (at, found) in staying.into_iter().zip(found) {
                match (&mut loaded[at], found) {
                    (Ok(included), Ok(found)) => included[place] = Some(found),
                    (outcome, Err(reason)) => *outcome = Err(reason),
                    (Err(_), Ok(_)) => {}
                }
            }
        }
        // every include of a row that stays was loaded
        Ok(loaded.into_iter().map(|row| row.map(|included| included.into_iter().flatten().collect())).collect())
    }

    fn load_parents(
        &self,
        edge: Edge,
        rows: &[&Found],
        spec: &IncludeSpec,
        left_out: &mut u64,
    ) -> Result<Vec<Result<Included, LeftOut>>, QueryError> {
        let parents = self.parents(edge, rows, spec)?;
        let mut uses = vec![0; parents.rows.len()];
        for parent in &parents.of {
            if let Parent::At(at) = parent {
                uses[*at] += 1;
            }
        }
        let mut raw = self.raw_rows(edge.target, parents.rows, uses, &spec.includes, left_out)?;
        let mut found = Vec::with_capacity(rows.len());
        for parent in parents.of {
            let (parent, counts) = match parent {
                Parent::At(at) => (raw.take(at), true),
                Parent::Absent => (Err(LeftOut::Absent), false),
                Parent::Unwanted => (Err(LeftOut::Unwanted), false),
            };
            found.push(match parent {
                Ok(row) => Ok(Included::One(Some(Box::new(row)))),
                Err(reason) if edge.is_required() => Err(reason),
                Err(reason) => {
                    // it is here, but lacks what it requires
                    *left_out += u64::from(counts && reason == LeftOut::Absent);
                    Ok(Included::One(None))
                }
            });
        }
        Ok(found)
    }
}
