//! [`Runs`]: rows in order.

use super::{
    matching::{Matched, MatchedRows},
    topk::TopK,
};
use crate::{Found, Order, QueryError};

/// Rows in order, within a limit: those that stand at their place as they come, runs sorted.
pub(super) struct Runs<'s> {
    rows: MatchedRows<'s>,
    order: Order,
    /// How many rows may still be given.
    left: Option<usize>,
    /// The run that was sorted last.
    sorted: Box<dyn Iterator<Item = Found>>,
    /// The row after it.
    next: Option<Matched>,
}

impl<'s> Runs<'s> {
    pub(super) fn new(rows: MatchedRows<'s>, order: Order, limit: Option<usize>) -> Runs<'s> {
        Runs { rows, order, left: limit, sorted: Box::new(std::iter::empty()), next: None }
    }

    fn find(&mut self) -> Result<Option<Found>, QueryError> {
        if let Some(found) = self.sorted.next() {
            return Ok(Some(found));
        }
        let first = match self.next.take() {
            Some(row) => row,
            None => match self.rows.next().transpose()? {
                Some(row) => row,
                None => return Ok(None),
            },
        };
        let Some(run) = first.run else { return Ok(Some(first.found)) };
        let mut top = TopK::new(self.left);
        top.add(self.order.rank_of(&first.found), first.found);
        while let Some(row) = self.rows.next().transpose()? {
            if row.run.as_ref() != Some(&run) {
                self.next = Some(row);
                break;
            }
            top.add(self.order.rank_of(&row.found), row.found);
        }
        self.sorted = Box::new(top.into_sorted());
        Ok(self.sorted.next())
    }
}

impl Iterator for Runs<'_> {
    type Item = Result<Found, QueryError>;

    fn next(&mut self) -> Option<Result<Found, QueryError>> {
        if self.left == Some(0) {
            return None;
        }
        let found = self.find().transpose()?;
        if let (Some(left), Ok(_)) = (&mut self.left, &found) {
            *left -= 1;
        }
        Some(found)
    }
}
