//! [`Matching`] and [`Chosen`]: the rows for which a filter holds.

use super::candidates::Candidate;
use crate::{
    Found, FoundRows, Order, QueryError, Resolver, Source, evaluate,
    plan::{Access, Plan},
};
use debros_core::{Expr, ModelDef};
use std::rc::Rc;

/// A row that matches.
pub(super) struct Matched {
    pub(super) found: Found,
    /// As in [`Candidate`].
    pub(super) run: Option<Vec<u8>>,
}

/// Rows that match, read as they are asked for.
pub(super) type MatchedRows<'s> = Box<dyn Iterator<Item = Result<Matched, QueryError>> + 's>;

/// The candidates of a plan that match.
pub(super) struct Matching<'s> {
    source: &'s dyn Source,
    resolver: &'s dyn Resolver,
    plan: Rc<Plan>,
    candidates: Box<dyn Iterator<Item = Result<Candidate, QueryError>> + 's>,
    /// Only rows that rank higher.
    after: Option<Vec<u8>>,
}

impl<'s> Matching<'s> {
    pub(super) fn new(
        source: &'s dyn Source,
        resolver: &'s dyn Resolver,
        plan: Rc<Plan>,
        candidates: Box<dyn Iterator<Item = Result<Candidate, QueryError>> + 's>,
        after: Option<Vec<u8>>,
    ) -> Matching<'s> {
        Matching { source, resolver, plan, candidates, after }
    }

    fn look(&self, candidate: Candidate) -> Result<Option<Matched>, QueryError> {
        let Candidate { row, side, run } = candidate;
        let record = self.source.load(&row)?;
        let found = Found { database: row.database, key: row.key, record };
        if self.after.as_ref().is_some_and(|after| self.plan.order.rank_of(&found) <= *after) {
            return Ok(None);
        }
        let holds = |expr| evaluate::holds(expr, self.plan.model, found.database, &found.record, self.resolver);
        if let Access::Union(sides) = &self.plan.access {
            for (at, (_, expr)) in sides.iter().enumerate().take(side + 1) {
                // it belongs to the first side that holds
                if holds(expr)? != (at == side) {
                    return Ok(None);
                }
            }
        }
        Ok(holds(&self.plan.residual)?.then_some(Matched { found, run }))
    }
}

impl Iterator for Matching<'_> {
    type Item = Result<Matched, QueryError>;

    fn next(&mut self) -> Option<Result<Matched, QueryError>> {
        loop {
            let candidate = match self.candidates.next()? {
                Ok(candidate) => candidate,
                Err(error) => return Some(Err(error)),
            };
            if let Some(matched) = self.look(candidate).transpose() {
                return Some(matched);
            }
        }
    }
}

/// Those of some rows that match.
pub(super) struct Chosen<'s> {
    resolver: &'s dyn Resolver,
    model: &'static ModelDef,
    rows: FoundRows<'s>,
    filter: Expr,
    /// Only rows that rank higher.
    after: Option<(Order, Vec<u8>)>,
    run: Option<Vec<u8>>,
}

impl<'s> Chosen<'s> {
    pub(super) fn new(
        resolver: &'s dyn Resolver,
        model: &'static ModelDef,
        rows: FoundRows<'s>,
        filter: Expr,
        after: Option<(Order, Vec<u8>)>,
        ordered: bool,
    ) -> Chosen<'s> {
        Chosen { resolver, model, rows, filter, after, run: ordered.then(Vec::new) }
    }
}

impl Iterator for Chosen<'_> {
    type Item = Result<Matched, QueryError>;

    fn next(&mut self) -> Option<Result<Matched, QueryError>> {
        loop {
            let found = match self.rows.next()? {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            if self.after.as_ref().is_some_and(|(order, after)| order.rank_of(&found) <= *after) {
                continue;
            }
            match evaluate::holds(&self.filter, self.model, found.database, &found.record, self.resolver) {
                Ok(true) => return Some(Ok(Matched { found, run: self.run.clone() })),
                Ok(false) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
