use std::ops::Range;

use cid::Cid;
use sha2::{Digest, Sha256};

use crate::{
    Position,
    block::block_key,
    car::{push_section, push_section_head},
    cid_table::CidTable,
};

/// The blocks of one group, framed as they lie, or will lie, in the segment.
#[derive(Debug)]
pub(crate) struct GroupBlocks {
    segment: u32,
    /// Offset of the group in the segment.
    start: u32,
    /// The sections of the blocks.
    bytes: Vec<u8>,
    blocks: Vec<(Cid, Position)>,
    /// Which of them were taken out of the segment since, in order.
    gone: Vec<u32>,
    /// The others.
    table: CidTable,
}

/// How much there was at some time, to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlocksMark {
    bytes: usize,
    blocks: usize,
}

impl GroupBlocks {
    pub(crate) fn new(segment: u32, start: u32) -> GroupBlocks {
        GroupBlocks {
            segment,
            start,
            bytes: Vec::new(),
            blocks: Vec::new(),
            gone: Vec::new(),
            table: CidTable::default(),
        }
    }

    /// Adds a block and returns its index.
    pub(crate) fn add(&mut self, cid: Cid, data: &[u8]) -> u32 {
        push_section(&mut self.bytes, &cid.to_bytes(), data);
        let position = self.position(data.len() as u32);
        self.table.insert(block_key(&cid), position.offset, position.len);
        self.blocks.push((cid, position));
        (self.blocks.len() - 1) as u32
    }

    /// Adds a block that was taken out of the segment since: what frames it counts, its content is gone.
    pub(crate) fn add_gone(&mut self, cid: Cid, len: u32) {
        push_section_head(&mut self.bytes, &cid.to_bytes(), len);
        self.bytes.resize(self.bytes.len() + len as usize, 0);
        self.gone.push(self.blocks.len() as u32);
        self.blocks.push((cid, self.position(len)));
    }

    /// Where the last bytes lie.
    fn position(&self, len: u32) -> Position {
        Position { segment: self.segment, offset: self.end() - len, len }
    }

    /// A block; `None`, if there is none of that number, or it is gone.
    pub(crate) fn get(&self, index: u32) -> Option<(&Cid, &[u8], Position)> {
        let (cid, position) = self.blocks.get(index as usize)?;
        Some((cid, self.data(*position)?, *position))
    }

    /// Where a block was that is gone.
    pub(crate) fn gone(&self, index: u32) -> Option<Position> {
        let (_, position) = self.blocks.get(index as usize)?;
        self.gone.binary_search(&index).is_ok().then_some(*position)
    }

    /// How many are gone.
    pub(crate) fn gone_len(&self) -> u32 {
        self.gone.len() as u32
    }

    /// What frames a block: its length and CID.
    pub(crate) fn head(&self, index: u32) -> Option<&[u8]> {
        let Range { start, .. } = self.section(index)?;
        let (_, position) = self.blocks.get(index as usize)?;
        self.bytes.get((start - self.start) as usize..(position.offset - self.start) as usize)
    }

    /// Where in the segment the section of a block lies.
    pub(crate) fn section(&self, index: u32) -> Option<Range<u32>> {
        let (_, position) = self.blocks.get(index as usize)?;
        let before = index.checked_sub(1).and_then(|before| self.blocks.get(before as usize));
        let start = before.map_or(self.start, |(_, before)| before.offset + before.len);
        Some(start..position.offset + position.len)
    }

    /// The bytes at a position, if they are in this group.
    pub(crate) fn data(&self, position: Position) -> Option<&[u8]> {
        if position.segment != self.segment || self.is_gone(position) {
            return None;
        }
        let from = position.offset.checked_sub(self.start)? as usize;
        self.bytes.get(from..from.checked_add(position.len as usize)?)
    }

    fn is_gone(&self, position: Position) -> bool {
        !self.gone.is_empty()
            && self
                .blocks
                .binary_search_by_key(&position.offset, |(_, block)| block.offset)
                .is_ok_and(|index| self.gone.binary_search(&(index as u32)).is_ok())
    }

    /// The newest copy of a block in this group.
    pub(crate) fn find(&self, key: &[u8; 32]) -> Option<Position> {
        let (offset, len) = self.table.find(key, u32::MAX)?;
        Some(Position { segment: self.segment, offset, len })
    }

    pub(crate) fn mark(&self) -> BlocksMark {
        BlocksMark { bytes: self.bytes.len(), blocks: self.blocks.len() }
    }

    /// Drops what was added since the mark.
    pub(crate) fn rewind(&mut self, mark: BlocksMark) {
        self.bytes.truncate(mark.bytes);
        for (cid, position) in self.blocks.drain(mark.blocks..) {
            self.table.remove(block_key(&cid), position.offset);
        }
    }

    /// SHA-256 of what frames the blocks, in order: the length and CID of each.
    pub(crate) fn heads(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut at = 0;
        for (_, position) in &self.blocks {
            let data = (position.offset - self.start) as usize;
            hash.update(&self.bytes[at..data]);
            at = data + position.len as usize;
        }
        hash.finalize().into()
    }

    pub(crate) fn segment(&self) -> u32 {
        self.segment
    }

    pub(crate) fn start(&self) -> u32 {
        self.start
    }

    /// Offset in the segment after the last block.
    pub(crate) fn end(&self) -> u32 {
        self.start + self.bytes.len() as u32
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of blocks.
    pub(crate) fn len(&self) -> u32 {
        self.blocks.len() as u32
    }

    pub(crate) fn table(&self) -> &CidTable {
        &self.table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{RAW, SHA2_256, sha256};
    use cid::multihash::Multihash;

    fn block(data: &[u8]) -> Cid {
        Cid::new_v1(RAW, Multihash::wrap(SHA2_256, &sha256(data)).unwrap())
    }

    #[test]
    fn positions_are_those_of_the_segment_and_rewinding_forgets() {
        let mut blocks = GroupBlocks::new(4, 1000);
        assert_eq!(blocks.add(block(b"one"), b"one"), 0);
        let mark = blocks.mark();
        assert_eq!(blocks.add(block(b"two"), b"two"), 1);
        assert_eq!(blocks.add(block(b"one"), b"one"), 2);
        let (cid, data, position) = blocks.get(1).unwrap();
        assert_eq!((*cid, data), (block(b"two"), b"two".as_slice()));
        assert_eq!(position, Position { segment: 4, offset: 1000 + 40 + 37, len: 3 });
        assert_eq!(blocks.data(position), Some(b"two".as_slice()));
        assert_eq!(blocks.find(&sha256(b"one")), Some(blocks.get(2).unwrap().2));
        blocks.rewind(mark);
        assert_eq!((blocks.len(), blocks.end()), (1, 1040));
        assert_eq!(blocks.find(&sha256(b"two")), None);
        assert_eq!(blocks.find(&sha256(b"one")), Some(blocks.get(0).unwrap().2));
        assert_eq!(blocks.data(position), None);
        assert_eq!(blocks.data(Position { segment: 4, offset: 0, len: 1 }), None);
    }
}
