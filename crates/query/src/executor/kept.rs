//! [`Kept`]: rows without those that lack a row which they require.

use super::matching::{Matched, MatchedRows};
use crate::{Found, QueryError, Resolver};
use debros_core::{IncludeSpec, ModelDef};
use std::{cell::Cell, collections::VecDeque, rc::Rc};

/// Rows without those that lack a row which they require and which is to be loaded with them.
pub(super) struct Kept<'s> {
    rows: MatchedRows<'s>,
    resolver: &'s dyn Resolver,
    model: &'static ModelDef,
    includes: Vec<IncludeSpec>,
    /// How many rows are asked about together.
    chunk: usize,
    ready: VecDeque<Matched>,
    left_out: Rc<Cell<u64>>,
}

impl<'s> Kept<'s> {
    pub(super) fn new(
        rows: MatchedRows<'s>,
        resolver: &'s dyn Resolver,
        model: &'static ModelDef,
        includes: Vec<IncludeSpec>,
        chunk: usize,
        left_out: Rc<Cell<u64>>,
    ) -> Kept<'s> {
        Kept { rows, resolver, model, includes, chunk, ready: VecDeque::new(), left_out }
    }

    /// Looks at some more rows. False: there are none.
    fn look(&mut self) -> Result<bool, QueryError> {
        let some: Vec<Matched> = self.rows.by_ref().take(self.chunk).collect::<Result<_, _>>()?;
        if some.is_empty() {
            return Ok(false);
        }
        let found: Vec<&Found> = some.iter().map(|matched| &matched.found).collect();
        let keeps = self.resolver.keeps(self.model, &found, &self.includes)?;
        for (matched, keep) in some.into_iter().zip(keeps) {
            if keep {
                self.ready.push_back(matched);
            } else {
                self.left_out.set(self.left_out.get() + 1);
            }
        }
        Ok(true)
    }
}

impl Iterator for Kept<'_> {
    type Item = Result<Matched, QueryError>;

    fn next(&mut self) -> Option<Result<Matched, QueryError>> {
        loop {
            if let Some(matched) = self.ready.pop_front() {
                return Some(Ok(matched));
            }
            match self.look() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
