use crate::{
    Row, StoreError, Table,
    layered::Layered,
    overlay::Overlay,
    state_file::{Base, BaseTable},
};

type BaseRange = redb::Range<'static, &'static [u8], &'static [u8]>;
type BaseRow = (redb::AccessGuard<'static, &'static [u8]>, redb::AccessGuard<'static, &'static [u8]>);

/// The rows of a range of one table, as the layers change those of the state file.
pub(crate) struct MergedRows<'s> {
    layers: Layered<'s>,
    base: Option<(&'s Base, BaseRange)>,
    /// The row of the state file that comes next, read ahead only while layers have rows to compare with.
    ahead: Option<BaseRow>,
    reverse: bool,
    failed: Option<StoreError>,
}

impl<'s> MergedRows<'s> {
    /// `overlays` newest first.
    pub(crate) fn new(
        base: &'s Base,
        overlays: impl Iterator<Item = &'s Overlay>,
        table: Table,
        start: &[u8],
        end: Option<&[u8]>,
        reverse: bool,
    ) -> MergedRows<'s> {
        let layers = Layered::new(overlays, table, start, end, reverse);
        MergedRows::of(base, base.table(table), layers, start, end, reverse)
    }

    /// Of a table of the state file and layers over it.
    pub(crate) fn of(
        base: &'s Base,
        table: Option<&BaseTable>,
        layers: Layered<'s>,
        start: &[u8],
        end: Option<&[u8]>,
        reverse: bool,
    ) -> MergedRows<'s> {
        let mut failed = None;
        let base = table.filter(|_| end.is_none_or(|end| start < end)).and_then(|rows| match range(rows, start, end) {
            Ok(range) => Some((base, range)),
            Err(error) => {
                failed = Some(base.failed(error));
                None
            }
        });
        MergedRows { layers, base, ahead: None, reverse, failed }
    }

    fn next_of_base(&mut self) -> Result<Option<BaseRow>, StoreError> {
        if let Some(row) = self.ahead.take() {
            return Ok(Some(row));
        }
        let Some((base, range)) = &mut self.base else { return Ok(None) };
        let row = if self.reverse { range.next_back() } else { range.next() };
        match row {
            Some(Ok(row)) => Ok(Some(row)),
            Some(Err(error)) => Err(base.failed(error)),
            None => {
                self.base = None;
                Ok(None)
            }
        }
    }

    fn next_row(&mut self) -> Result<Option<Row>, StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        loop {
            let stored = self.next_of_base()?;
            let Some((key, value)) = self.layers.peek() else {
                return Ok(stored.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())));
            };
            if let Some(stored) = stored {
                let order = stored.0.value().cmp(key);
                let order = if self.reverse { order.reverse() } else { order };
                if order.is_lt() {
                    return Ok(Some((stored.0.value().to_vec(), stored.1.value().to_vec())));
                }
                if order.is_gt() {
                    self.ahead = Some(stored);
                }
            }
            self.layers.next();
            if let Some(value) = value {
                return Ok(Some((key.to_vec(), value.to_vec())));
            }
        }
    }
}

fn range(table: &BaseTable, start: &[u8], end: Option<&[u8]>) -> Result<BaseRange, redb::StorageError> {
    match end {
        Some(end) => table.range::<&[u8]>(start..end),
        None => table.range::<&[u8]>(start..),
    }
}

impl Iterator for MergedRows<'_> {
    type Item = Result<Row, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.next_row();
        if row.is_err() {
            self.base = None;
            self.ahead = None;
            self.layers = Layered::new(std::iter::empty(), Table(""), b"", None, false);
        }
        row.transpose()
    }
}
