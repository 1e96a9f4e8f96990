//! Where to go on in an index after a page.

use super::{Databases, Plan, Scan, Sorting};
use crate::{Cursor, KeyRange, encode_key, source::successor};
use std::cmp::Ordering;

impl Plan {
    /// The part of a span that can hold rows after the cursor. Rows before it can be within, too: where values were
    /// cut, where rows tie, and the cursor's own.
    pub(crate) fn seek(&self, scan: &Scan, span: &KeyRange, cursor: &Cursor) -> KeyRange {
        let (fields, collations) = (scan.fields(self.model), scan.collations(self.model));
        let points = if scan.index.is_some() { scan.points } else { 0 };
        // the values that all of the span has
        let mut fixed: Vec<&[u8]> = Vec::with_capacity(points);
        let mut rest = &span.start[..];
        for collation in &collations[..points] {
            let Some((value, more, _)) = collation.split(rest) else { return span.clone() };
            fixed.push(value);
            rest = more;
        }
        // where the cursor is in the index, as far as the index follows the order
        let (mut at, mut next) = (fixed.concat(), points);
        let (mut follows, mut all_before) = (true, false);
        for column in &self.order.columns {
            let mut value = Vec::new();
            let whole = column.collation.encode(cursor.value(column.field), &mut value);
            let in_span = fields[..points].iter().position(|field| *field == column.field);
            let only = in_span.map(|position| fixed[position]).or_else(|| self.constant(column.field));
            if let Some(only) = only {
                let place = only.cmp(&value[..]);
                match if column.descending { place.reverse() } else { place } {
                    Ordering::Equal if whole => continue,
                    Ordering::Less => all_before = true,
                    _ => {}
                }
                follows = false;
            } else if fields.get(next) == Some(&column.field) && column.descending == self.reverse {
                at.extend(value);
                next += 1;
                follows = whole;
            } else {
                follows = false;
            }
            if !follows {
                break;
            }
        }
        let by_key = scan.index.is_none() || matches!(self.databases, Databases::Each(_));
        if follows && by_key && next == fields.len() && self.sorting == Sorting::Given {
            at.extend(encode_key(self.model, &cursor.id));
        }
        let mut range = span.clone();
        if self.reverse {
            let end = if all_before { Some(at) } else { successor(&at) };
            range.end = match (range.end, end) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        } else {
            match if all_before { successor(&at) } else { Some(at) } {
                Some(start) => range.start = range.start.max(start),
                None => range.end = Some(range.start.clone()),
            }
        }
        range
    }
}
