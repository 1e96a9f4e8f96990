//! [`Merged`]: the rows of several databases in the order of one index.

use debros_query::{RowRef, RowRefs, SourceError};
use std::cmp::Ordering;

/// The rows of several databases, each in the order of one index, as one.
struct Merged<'a> {
    scans: Vec<(RowRef, RowRefs<'a>)>,
    /// Scans whose first row was not read yet.
    fresh: Vec<RowRefs<'a>>,
    reverse: bool,
}

/// The rows of these scans, each in the order of one index, as one scan in that order.
pub(crate) fn merged(mut scans: Vec<RowRefs<'_>>, reverse: bool) -> RowRefs<'_> {
    if scans.len() == 1
        && let Some(only) = scans.pop()
    {
        return only;
    }
    Box::new(Merged { scans: Vec::with_capacity(scans.len()), fresh: scans, reverse })
}

impl<'a> Merged<'a> {
    fn advance(&mut self, mut scan: RowRefs<'a>) -> Result<(), SourceError> {
        if let Some(row) = scan.next() {
            self.scans.push((row?, scan));
        }
        Ok(())
    }
}

fn compare(a: &RowRef, b: &RowRef) -> Ordering {
    a.values.cmp(&b.values).then_with(|| a.key.cmp(&b.key)).then_with(|| a.database.cmp(&b.database))
}

impl Iterator for Merged<'_> {
    type Item = Result<RowRef, SourceError>;

    fn next(&mut self) -> Option<Result<RowRef, SourceError>> {
        while let Some(scan) = self.fresh.pop() {
            if let Err(error) = self.advance(scan) {
                return Some(Err(error));
            }
        }
        // few databases: a look at each is as quick as a heap
        let rows = self.scans.iter().enumerate();
        let (next, _) = match self.reverse {
            false => rows.min_by(|(_, (a, _)), (_, (b, _))| compare(a, b))?,
            true => rows.max_by(|(_, (a, _)), (_, (b, _))| compare(a, b))?,
        };
        let (row, scan) = self.scans.swap_remove(next);
        match self.advance(scan) {
            Ok(()) => Some(Ok(row)),
            Err(error) => Some(Err(error)),
        }
    }
}
