use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
};

use crate::Table;

/// Rows of one table in memory: a value, or `None` for a row that was deleted.
type TableRows = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
/// What a row costs in memory beside its bytes, roughly: two vectors and its share of a tree node.
const ROW_OVERHEAD: usize = 64;

/// Changes to state that are not in the state file yet.
#[derive(Debug, Default, Clone)]
pub(crate) struct Overlay {
    tables: BTreeMap<Table, TableRows>,
    rows: usize,
    bytes: usize,
}

/// Rows of an overlay in a range, from either end.
pub(crate) type OverlayRange<'o> = btree_map::Range<'o, Vec<u8>, Option<Vec<u8>>>;

impl Overlay {
    /// The value that the overlay gives a key: `Some(None)` when it says that the row was deleted.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Option<Option<&[u8]>> {
        Some(self.tables.get(&table)?.get(key)?.as_deref())
    }

    pub(crate) fn set(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        let rows = self.tables.entry(table).or_default();
        let added = key.len() + value.as_ref().map_or(0, Vec::len) + ROW_OVERHEAD;
        self.bytes += added;
        let key_len = key.len();
        match rows.insert(key, value) {
            Some(old) => self.bytes -= key_len + old.map_or(0, |v| v.len()) + ROW_OVERHEAD,
            None => self.rows += 1,
        }
    }

    /// Takes the changes of `newer` over, which win.
    pub(crate) fn absorb(&mut self, newer: Overlay) {
        if self.rows == 0 {
            *self = newer;
            return;
        }
        for (table, rows) in newer.tables {
            for (key, value) in rows {
                self.set(table, key, value);
            }
        }
    }

    /// Like [`Overlay::absorb`], of a layer that others still read.
    pub(crate) fn absorb_copy(&mut self, newer: &Overlay) {
        for (table, rows) in &newer.tables {
            for (key, value) in rows {
                self.set(*table, key.clone(), value.clone());
            }
        }
    }

    /// The rows with `start <= key < end`, if the overlay has the table.
    pub(crate) fn range(&self, table: Table, start: &[u8], end: Option<&[u8]>) -> Option<OverlayRange<'_>> {
        if end.is_some_and(|end| end <= start) {
            return None;
        }
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        Some(self.tables.get(&table)?.range::<[u8], _>((Bound::Included(start), end)))
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = Table> {
        self.tables.keys().copied()
    }

    /// Number of rows, deletions included.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Memory that it takes, roughly, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Table = Table("t");

    #[test]
    fn counts_rows_and_bytes_and_the_newer_wins() {
        let mut overlay = Overlay::default();
        overlay.set(T, b"a".to_vec(), Some(vec![0; 10]));
        overlay.set(T, b"a".to_vec(), None);
        overlay.set(T, b"b".to_vec(), Some(b"1".to_vec()));
        assert_eq!((overlay.rows(), overlay.bytes()), (2, 1 + 2 + 2 * ROW_OVERHEAD));
        let mut newer = Overlay::default();
        newer.set(T, b"a".to_vec(), Some(b"2".to_vec()));
        newer.set(Table("u"), b"z".to_vec(), None);
        overlay.absorb_copy(&newer);
        overlay.absorb(newer);
        assert_eq!(overlay.get(T, b"a"), Some(Some(b"2".as_slice())));
        assert_eq!(overlay.get(T, b"b"), Some(Some(b"1".as_slice())));
        assert_eq!(overlay.get(T, b"c"), None);
        assert_eq!(overlay.get(Table("u"), b"z"), Some(None));
        assert_eq!(overlay.rows(), 3);
    }

    #[test]
    fn an_empty_or_inverted_range_has_no_rows() {
        let mut overlay = Overlay::default();
        overlay.set(T, b"a".to_vec(), None);
        assert!(overlay.range(T, b"b", Some(b"a")).is_none());
        assert!(overlay.range(T, b"a", Some(b"a")).is_none());
        assert_eq!(overlay.range(T, b"", None).unwrap().count(), 1);
    }
}
