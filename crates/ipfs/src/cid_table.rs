use std::collections::BTreeMap;

use crate::block::BlockKey;

/// The blocks of a segment or group by their key, in memory. A block may be there more than once.
#[derive(Debug, Clone, Default)]
pub(crate) struct CidTable {
    entries: BTreeMap<(BlockKey, u32), u32>,
}

impl CidTable {
    pub(crate) fn insert(&mut self, key: BlockKey, offset: u32, len: u32) {
        self.entries.insert((key, offset), len);
    }

    pub(crate) fn remove(&mut self, key: BlockKey, offset: u32) {
        self.entries.remove(&(key, offset));
    }

    /// Offset and length of the last copy that begins before `before`.
    pub(crate) fn find(&self, key: &BlockKey, before: u32) -> Option<(u32, u32)> {
        let (&(_, offset), &len) = self.entries.range((*key, 0)..(*key, before)).next_back()?;
        Some((offset, len))
    }

    /// One by one: `BTreeMap::append` makes the whole map anew, and this is called for each group.
    pub(crate) fn append(&mut self, other: CidTable) {
        self.entries.extend(other.entries);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Key, offset and length, sorted by key and offset.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&BlockKey, u32, u32)> {
        self.entries.iter().map(|((key, offset), len)| (key, *offset, *len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_copy_before_a_limit_is_found() {
        let mut table = CidTable::default();
        table.insert([1; 32], 100, 5);
        table.insert([1; 32], 300, 5);
        table.insert([2; 32], 200, 6);
        assert_eq!(table.find(&[1; 32], u32::MAX), Some((300, 5)));
        assert_eq!(table.find(&[1; 32], 300), Some((100, 5)));
        assert_eq!(table.find(&[1; 32], 100), None);
        assert_eq!(table.find(&[3; 32], u32::MAX), None);
        table.remove([1; 32], 300);
        assert_eq!(table.find(&[1; 32], u32::MAX), Some((100, 5)));
        assert_eq!(table.len(), 2);
    }
}
