use crate::{
    Table,
    overlay::{Overlay, OverlayRange},
};

/// The rows of several overlays in one order, deletions included; where several have a key, the newest wins.
pub(crate) struct Layered<'o> {
    /// Newest first; each with the row that it offers next.
    sources: Vec<(OverlayRow<'o>, OverlayRange<'o>)>,
    reverse: bool,
}

/// Key, and value or deletion.
pub(crate) type OverlayRow<'o> = (&'o [u8], Option<&'o [u8]>);

impl<'o> Layered<'o> {
    /// `overlays` newest first.
    pub(crate) fn new(
        overlays: impl Iterator<Item = &'o Overlay>,
        table: Table,
        start: &[u8],
        end: Option<&[u8]>,
        reverse: bool,
    ) -> Layered<'o> {
        let sources = overlays
            .filter_map(|overlay| {
                let mut range = overlay.range(table, start, end)?;
                Some((step(&mut range, reverse)?, range))
            })
            .collect();
        Layered { sources, reverse }
    }

    /// The row that comes next.
    pub(crate) fn peek(&self) -> Option<OverlayRow<'o>> {
        let heads = self.sources.iter().map(|(row, _)| *row);
        // Of equal keys the first, that is the newest, is kept.
        heads.reduce(|best, row| if self.precedes(row.0, best.0) { row } else { best })
    }

    fn precedes(&self, a: &[u8], b: &[u8]) -> bool {
        if self.reverse { a > b } else { a < b }
    }
}

impl<'o> Iterator for Layered<'o> {
    type Item = OverlayRow<'o>;

    fn next(&mut self) -> Option<OverlayRow<'o>> {
        let row = self.peek()?;
        let reverse = self.reverse;
        self.sources.retain_mut(|(head, range)| {
            if head.0 != row.0 {
                return true;
            }
            match step(range, reverse) {
                Some(next) => {
                    *head = next;
                    true
                }
                None => false,
            }
        });
        Some(row)
    }
}

fn step<'o>(range: &mut OverlayRange<'o>, reverse: bool) -> Option<OverlayRow<'o>> {
    let (key, value) = if reverse { range.next_back() } else { range.next() }?;
    Some((key, value.as_deref()))
}
