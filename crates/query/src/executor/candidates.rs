//! [`Candidate`]: a row that an index gave, before it is looked at.

use super::merge::{Merge, Stream};
use crate::{
    Cursor, QueryError, RowRef, Source,
    plan::{Plan, Sorting},
};
use std::rc::Rc;

/// A row that an index gave, before it is looked at.
pub(super) struct Candidate {
    pub(super) row: RowRef,
    /// Which side of a union gave it.
    pub(super) side: usize,
    /// `None`: it stands at its place in the order. Else it does so only as part of the run of rows that have this in
    /// common, and that follow each other; the run is to be sorted.
    pub(super) run: Option<Vec<u8>>,
}

/// The rows that the plan's indexes give, in the order that it promises; from the cursor on, as far as the indexes
/// tell.
pub(super) fn candidates<'s>(
    source: &'s dyn Source,
    plan: &Rc<Plan>,
    cursor: Option<&Cursor>,
) -> Box<dyn Iterator<Item = Result<Candidate, QueryError>> + 's> {
    let in_order = matches!(plan.sorting, Sorting::Given | Sorting::Ties(_));
    let databases = plan.databases.scanned();
    let mut streams = Vec::new();
    for (side, scan) in plan.access.scans().into_iter().enumerate() {
        for span in &scan.spans {
            let range = match cursor {
                Some(cursor) if in_order => plan.seek(scan, span, cursor),
                _ => span.clone(),
            };
            if !range.is_empty() {
                streams.extend(databases.iter().map(|&database| Stream { side, database, range: range.clone() }));
            }
        }
    }
    if in_order {
        return Box::new(Merge::new(source, plan, streams));
    }
    let run = (plan.sorting == Sorting::Memory).then(Vec::new);
    let plan = Rc::clone(plan);
    Box::new(streams.into_iter().flat_map(move |stream| {
        let run = run.clone();
        stream
            .rows(source, &plan, false)
            .map(move |row| Ok(Candidate { row: row?, side: stream.side, run: run.clone() }))
    }))
}
