use std::sync::Arc;

use crate::{
    Bytes, Cid, Position, ReadState, Rows, StoreError, Table, block::block_key, merged_rows::MergedRows,
    shared::Shared, view::View,
};

/// A consistent state to read from: of the last write answered before it was taken, or later. Cheap to take and to
/// clone. While it lives, space that later writes free in the state file is not used again.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) view: Arc<View>,
}

impl ReadState for Snapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.check_open()?;
        self.view.get(table, key).map_err(|error| self.shared.explain(error))
    }

    fn scan<'s>(&'s self, table: Table, start: &[u8], end: Option<&[u8]>, reverse: bool) -> Rows<'s> {
        let rows = MergedRows::new(&self.view.base, self.view.newest_first(), table, start, end, reverse);
        let rows = rows.map(|row| {
            self.shared.check_open()?;
            row.map_err(|error| self.shared.explain(error))
        });
        Box::new(rows.scan(false, |failed, row| {
            let ended = std::mem::replace(failed, row.is_err());
            (!ended).then_some(row)
        }))
    }

    fn block_at(&self, position: Position) -> Result<Bytes, StoreError> {
        self.shared.check_open()?;
        self.shared.segments.read(position)
    }

    fn block(&self, cid: &Cid) -> Result<Option<(Position, Bytes)>, StoreError> {
        self.shared.check_open()?;
        let found = self.shared.segments.find(&block_key(cid), self.view.end.place())?;
        found.map(|position| Ok((position, self.shared.segments.read(position)?))).transpose()
    }
}
