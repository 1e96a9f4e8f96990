use crate::{
    block::matches,
    car::{HEADER_LEN, header},
    group_blocks::GroupBlocks,
    journal_end::JournalEnd,
    journal_record::{self, JournalRecord},
    sections::{Fault, Sections},
    store_mark::StoreMark,
};

/// A group as it lies in a segment, whole and checked.
#[derive(Debug)]
pub(crate) struct StoredGroup {
    pub(crate) blocks: GroupBlocks,
    pub(crate) record: JournalRecord,
    /// Where the next group begins.
    pub(crate) end: JournalEnd,
}

/// Reads the groups of one segment file in order, checking every hash and the chain of the records.
#[derive(Debug)]
pub(crate) struct StoredGroups {
    sections: Sections,
    mark: StoreMark,
    /// Where the next group begins, and what its record must say.
    next: JournalEnd,
}

impl StoredGroups {
    pub(crate) fn new(sections: Sections, mark: StoreMark, from: JournalEnd) -> StoredGroups {
        StoredGroups { sections, mark, next: from }
    }

    /// Where the group that is read next begins.
    pub(crate) fn position(&self) -> JournalEnd {
        self.next
    }

    pub(crate) fn sections(&mut self) -> &mut Sections {
        &mut self.sections
    }

    /// Goes on after a record that was found behind a broken place.
    pub(crate) fn resume(&mut self, end: JournalEnd) {
        self.sections.seek(u64::from(end.offset));
        self.next = end;
    }

    /// Whether the file begins with the header of its segment.
    pub(crate) fn check_header(&mut self) -> Result<(), Fault> {
        let found = self.sections.bytes(0, HEADER_LEN as usize)?;
        if found != header(self.next.segment, &self.mark) {
            return Err(Fault::broken(0, format!("this is not the header of segment {}", self.next.segment)));
        }
        Ok(())
    }

    /// The next group; `None` when the file ends exactly before it.
    pub(crate) fn next(&mut self) -> Result<Option<StoredGroup>, Fault> {
        let start = self.next.offset;
        let mut blocks = GroupBlocks::new(self.next.segment, start);
        loop {
            let Some(section) = self.sections.next()? else {
                if blocks.len() == 0 {
                    return Ok(None);
                }
                return Err(Fault::broken(
                    u64::from(start),
                    "the group that begins here is cut off by the end of the file",
                ));
            };
            if section.is_gone {
                blocks.add_gone(section.cid, section.data_len);
                continue;
            }
            let data = self.sections.data(&section)?;
            match matches(&section.cid, data) {
                Some(true) => {}
                Some(false) => {
                    return Err(Fault::broken(
                        section.at,
                        format!("the content does not match its CID {}", section.cid),
                    ));
                }
                None => {
                    return Err(Fault::broken(
                        section.at,
                        format!("no such block was written: {} uses another hash", section.cid),
                    ));
                }
            }
            if !data.starts_with(&journal_record::prefix(&self.mark)) {
                blocks.add(section.cid, data);
                continue;
            }
            let Some(record) = journal_record::decode(data, &self.mark) else {
                return Err(Fault::broken(section.at, "this journal record does not decode"));
            };
            let Some(digest) = journal_record::cid_digest(&section.cid.to_bytes()) else {
                return Err(Fault::broken(section.at, format!("{} is no CID of a journal record", section.cid)));
            };
            if record.previous != self.next.previous || record.sequence != self.next.sequence {
                return Err(Fault::broken(
                    section.at,
                    format!("journal record {} does not follow the one before it in the chain", record.sequence),
                ));
            }
            let whole = record.blocks == blocks.len() && u64::from(start) + blocks.bytes().len() as u64 == section.at;
            if !whole {
                return Err(Fault::broken(
                    section.at,
                    format!(
                        "journal record {} counts {} blocks, {} are there",
                        record.sequence,
                        record.blocks,
                        blocks.len()
                    ),
                ));
            }
            if record.heads != blocks.heads() {
                return Err(Fault::broken(
                    u64::from(start),
                    "the CID of a block of the group that begins here was changed",
                ));
            }
            self.next.offset = self.sections.at() as u32;
            self.next.sequence = self.next.sequence.saturating_add(1);
            self.next.previous = digest;
            return Ok(Some(StoredGroup { blocks, record, end: self.next }));
        }
    }
}
