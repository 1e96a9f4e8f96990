//! [`RawRows`]: loaded rows that several others share.

use super::LeftOut;
use crate::Loader;
use debros_core::{IncludeSpec, ModelDef, RawRow};
use debros_query::{Found, QueryError};
use std::rc::Rc;

/// Loaded rows, each to be handed out a known number of times.
pub(super) struct RawRows(Vec<(Result<RawRow, LeftOut>, usize)>);

impl RawRows {
    /// Hands out a row: the last time itself, before that copies.
    pub(super) fn take(&mut self, at: usize) -> Result<RawRow, LeftOut> {
        let (row, uses) = &mut self.0[at];
        *uses -= 1;
        match row {
            Ok(row) if *uses == 0 => Ok(std::mem::take(row)),
            Ok(row) => Ok(row.clone()),
            Err(reason) => Err(*reason),
        }
    }
}

impl Loader<'_> {
    /// These rows with what is to be loaded with each, to be handed out so many times.
    pub(super) fn raw_rows(
        &self,
        model: &'static ModelDef,
        rows: Vec<Rc<Found>>,
        uses: Vec<usize>,
        includes: &[IncludeSpec],
        left_out: &mut u64,
    ) -> Result<RawRows, QueryError> {
        let refs: Vec<&Found> = rows.iter().map(Rc::as_ref).collect();
        let outcomes = self.load(model, &refs, includes, left_out)?;
        let rows = rows.into_iter().zip(outcomes).zip(uses).map(|((row, outcome), uses)| {
            let raw = outcome.map(|included| {
                let record = Rc::try_unwrap(row).map_or_else(|row| row.record.clone(), |row| row.record);
                RawRow { record, included }
            });
            (raw, uses)
        });
        Ok(RawRows(rows.collect()))
    }
}
