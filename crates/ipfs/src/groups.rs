use std::sync::Arc;

use crate::{
    Cid, Damage, Place, Position, StoreError,
    car::HEADER_LEN,
    journal_end::JournalEnd,
    shared::Shared,
    stored_groups::{StoredGroup, StoredGroups},
};

/// The committed groups of a store, from a place on, in the order in which they were committed. Every hash is checked on
/// the way. One group is in memory at a time.
///
/// The first error is the last item.
pub struct Groups {
    shared: Arc<Shared>,
    from: JournalEnd,
    end: JournalEnd,
    /// The segment that is being read.
    reading: Option<StoredGroups>,
    failed: bool,
}

/// One atomic commit, as it lies in a segment.
#[derive(Debug)]
pub struct CommittedGroup(pub(crate) StoredGroup);

impl CommittedGroup {
    /// The operations of its journal record, in order.
    pub fn ops(&self) -> &[Vec<u8>] {
        &self.0.record.ops
    }

    /// How many blocks it had when it was committed.
    pub fn block_count(&self) -> u32 {
        self.0.blocks.len()
    }

    /// How many of them were taken out of the segments since: see [`Store::rewrite`](crate::Store::rewrite).
    pub fn gone_count(&self) -> u32 {
        self.0.blocks.gone_len()
    }

    /// Whether the block of this index was taken out of the segments.
    pub fn is_gone(&self, index: u32) -> bool {
        self.0.blocks.gone(index).is_some()
    }

    /// A block by its index: CID, content and position. `None`, if it is gone, or was never there.
    pub fn block(&self, index: u32) -> Option<(&Cid, &[u8], Position)> {
        self.0.blocks.get(index)
    }

    /// Bytes of its blocks, with their framing.
    pub fn bytes(&self) -> usize {
        self.0.blocks.bytes().len()
    }

    /// The hash of its journal record, which no other commit has, of this store or another.
    pub fn digest(&self) -> [u8; 32] {
        self.0.end.previous
    }

    /// Whether something of it lies before a position: the block of this index, or, without one, its beginning.
    pub fn is_before(&self, block: Option<u32>, position: Position) -> bool {
        let blocks = &self.0.blocks;
        let at = block.and_then(|block| blocks.get(block).map(|(_, _, at)| at).or_else(|| blocks.gone(block)));
        at.map_or((blocks.segment(), blocks.start()), |at| (at.segment, at.offset))
            < (position.segment, position.offset)
    }

    /// The place behind it.
    pub fn end(&self) -> Place {
        Place(self.0.end)
    }
}

impl Groups {
    pub(crate) fn new(shared: Arc<Shared>, from: JournalEnd, end: JournalEnd) -> Groups {
        Groups { shared, from, end, reading: None, failed: false }
    }

    fn read(&mut self) -> Result<Option<CommittedGroup>, StoreError> {
        let segments = &self.shared.segments;
        loop {
            self.shared.check_open()?;
            if self.from.place() >= self.end.place() {
                return Ok(None);
            }
            let number = self.from.segment;
            let mut groups = match self.reading.take() {
                Some(groups) => groups,
                None => {
                    let end =
                        if number == self.end.segment { u64::from(self.end.offset) } else { segments.len(number)? };
                    let sections = segments.sections(number, u64::from(self.from.offset), end)?;
                    StoredGroups::new(sections, *segments.mark(), self.from)
                }
            };
            if self.from.offset == HEADER_LEN {
                groups.check_header().map_err(|fault| fault.into_error(&segments.path(number)))?;
            }
            match groups.next().map_err(|fault| fault.into_error(&segments.path(number)))? {
                Some(group) => {
                    self.from = group.end;
                    self.reading = Some(groups);
                    return Ok(Some(CommittedGroup(group)));
                }
                None if number < self.end.segment => self.from = self.from.next_segment(segments.mark()),
                None => {
                    return Err(StoreError::Damaged(Damage {
                        file: segments.path(number),
                        offset: u64::from(self.from.offset),
                        what: "the file ends here, but more was committed".to_owned(),
                    }));
                }
            }
        }
    }
}

impl Iterator for Groups {
    type Item = Result<CommittedGroup, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let group = self.read().map_err(|error| self.shared.explain(error)).transpose();
        self.failed = matches!(group, Some(Err(_)));
        group
    }
}
