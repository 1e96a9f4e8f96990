use std::sync::Arc;

use crate::{
    Bytes, Cid, Groups, Place, Position, ReadState, Rows, StoreError, Table, block::block_key, car::HEADER_LEN,
    journal_end::JournalEnd, merged_rows::MergedRows, shared::Shared, view::View,
};

/// A consistent state to read from: of the last write answered before it was taken, or later. Cheap to take and to
/// clone. While it lives, space that later writes free in the state file is not used again.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) view: Arc<View>,
}

impl Snapshot {
    /// The place behind the last group of this state.
    pub fn end(&self) -> Place {
        Place(self.view.end)
    }

    /// The place before the first group.
    pub fn start(&self) -> Place {
        Place(JournalEnd::start(self.shared.segments.mark()))
    }

    /// The groups of this state behind a place; all of them, without one.
    pub fn groups(&self, from: Option<Place>) -> Groups {
        let from = from.map_or_else(|| JournalEnd::start(self.shared.segments.mark()), |place| place.0);
        Groups::new(self.shared.clone(), from, self.view.end)
    }

    /// Bytes of segments between a place (without one, the beginning) and the end of this state.
    pub fn bytes_behind(&self, from: Option<Place>) -> Result<u64, StoreError> {
        let from = from.map_or((1, HEADER_LEN), |place| place.0.place());
        let end = self.view.end.place();
        let mut bytes = 0;
        for number in from.0..=end.0 {
            let first = if number == from.0 { from.1 } else { HEADER_LEN };
            let last = if number == end.0 { u64::from(end.1) } else { self.shared.segments.len(number)? };
            bytes += last.saturating_sub(u64::from(first));
        }
        Ok(bytes)
    }
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
        self.shared.segments.read_newest(&block_key(cid), self.view.end.place())
    }
}
