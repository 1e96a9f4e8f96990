//! Rows in the order that an include asks for.

use super::Rows;
use crate::edge::same;
use debros_core::Collation;
use debros_query::{Found, Order, QueryError};
use std::{cmp::Reverse, rc::Rc};

/// The rows in this order. With `keep`, no more than these are wanted, and no more than about twice as many are held.
pub(crate) fn sorted<'l>(order: &Order, rows: Rows<'l>, keep: Option<usize>) -> Result<Rows<'l>, QueryError> {
    let mut ranked: Vec<(Vec<u8>, Rc<Found>)> = Vec::new();
    for row in rows {
        let row = row?;
        ranked.push((order.rank(&row.record, &row.key, row.database), row));
        if let Some(keep) = keep
            && ranked.len() >= keep.saturating_mul(2).saturating_add(64)
        {
            ranked.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            ranked.truncate(keep);
        }
    }
    ranked.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Box::new(ranked.into_iter().map(|(_, row)| Ok(row))))
}

/// Rows that come in the order of some columns, by their stored names, in this order: those that tie in the columns are sorted
/// among themselves.
pub(crate) fn tied<'l>(order: Order, columns: Vec<(&'static str, Collation)>, rows: Rows<'l>) -> Rows<'l> {
    Box::new(Tied { rows, columns, order, next: None, group: Vec::new() })
}

/// Rows that come in the order of some columns: those that tie in them are sorted among themselves.
struct Tied<'l> {
    rows: Rows<'l>,
    columns: Vec<(&'static str, Collation)>,
    order: Order,
    /// The first row of the next group.
    next: Option<Rc<Found>>,
    /// The rest of this group, last first.
    group: Vec<Rc<Found>>,
}

impl Tied<'_> {
    /// Does the index keep the two together? It cuts long texts, so they need not be the same.
    fn ties(&self, a: &Found, b: &Found) -> bool {
        let encoded = |row: &Found, stored, collation: Collation| {
            let mut bytes = Vec::new();
            collation.encode(row.record.field(stored), &mut bytes);
            bytes
        };
        self.columns.iter().all(|&(stored, collation)| {
            same(collation, a.record.field(stored), b.record.field(stored))
                || encoded(a, stored, collation) == encoded(b, stored, collation)
        })
    }

    fn fill(&mut self) -> Result<(), QueryError> {
        let Some(first) = self.next.take().map(Ok).or_else(|| self.rows.next()).transpose()? else { return Ok(()) };
        self.group.push(first);
        while let Some(row) = self.rows.next().transpose()? {
            if !self.ties(&self.group[0], &row) {
                self.next = Some(row);
                break;
            }
            self.group.push(row);
        }
        let order = &self.order;
        self.group.sort_by_cached_key(|row| Reverse(order.rank(&row.record, &row.key, row.database)));
        Ok(())
    }
}

impl Iterator for Tied<'_> {
    type Item = Result<Rc<Found>, QueryError>;

    fn next(&mut self) -> Option<Result<Rc<Found>, QueryError>> {
        if self.group.is_empty()
            && let Err(error) = self.fill()
        {
            return Some(Err(error));
        }
        self.group.pop().map(Ok)
    }
}
