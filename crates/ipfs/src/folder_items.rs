use std::{collections::VecDeque, iter::FusedIterator, path::PathBuf};

use crate::{
    CommittedGroup, Damage, DiskError, FolderReader, Unfinished,
    car::{HEADER_LEN, chain_root, segment_name},
    cid_table::CidTable,
    journal_end::JournalEnd,
    sections::Fault,
    stored_groups::StoredGroups,
    tail::find_record,
};

/// What lies in the segments of a data folder.
#[derive(Debug)]
pub enum FolderItem {
    /// A whole group: every hash is right, and it follows the one before it.
    Group(CommittedGroup),
    /// A broken place. What lies between it and the next whole journal record is lost; reading goes on behind that.
    Damage(Damage),
    /// What an interrupted write left at the end: the last item, but for damage of the state.
    Unfinished(Unfinished),
}

/// Reads everything in the segments of a [`FolderReader`], in order, and goes on behind damaged places.
#[derive(Debug)]
pub struct FolderItems<'f> {
    folder: &'f FolderReader,
    /// What is known already and was not given yet.
    pending: VecDeque<FolderItem>,
    /// How many of the segment files were begun.
    begun: usize,
    reading: Option<Reading>,
    /// The sequence number of the next group; unknown behind damage that no whole record follows.
    sequence: Option<u64>,
    /// Behind the last whole group that was read, or the last of what was told to be lost.
    reached: (u32, u32),
    ended: bool,
}

/// The segment that is being read.
#[derive(Debug)]
struct Reading {
    groups: StoredGroups,
    number: u32,
    len: u64,
    is_last: bool,
    /// Where its blocks are, to compare its index with.
    table: CidTable,
    damaged: bool,
}

impl<'f> FolderItems<'f> {
    pub(crate) fn new(folder: &'f FolderReader) -> FolderItems<'f> {
        FolderItems {
            folder,
            pending: VecDeque::new(),
            begun: 0,
            reading: None,
            sequence: Some(1),
            reached: (1, HEADER_LEN),
            ended: false,
        }
    }

    fn damage(&mut self, file: PathBuf, offset: u64, what: impl Into<String>) {
        self.pending.push_back(FolderItem::Damage(Damage { file, offset, what: what.into() }));
    }

    /// Begins the next segment, or ends.
    fn begin(&mut self) {
        let Some(number) = self.folder.numbers.get(self.begun).copied() else {
            self.ended = true;
            self.check_end();
            return;
        };
        let before = self.begun.checked_sub(1).map_or(0, |at| self.folder.numbers[at]);
        self.begun += 1;
        if number > before + 1 {
            let dir = self.folder.segments.segments_dir();
            let more = number - before - 2;
            let also = if more == 0 { String::new() } else { format!(", and so are the {more} after it") };
            self.damage(dir.join(segment_name(before + 1)), 0, format!("the file is missing{also}"));
            self.sequence = None;
        }
        if let Err(error) = self.begin_segment(number) {
            self.damage(self.folder.segments.path(number), 0, unreadable(&error));
            self.sequence = None;
        }
    }

    fn begin_segment(&mut self, number: u32) -> Result<(), DiskError> {
        let segments = &self.folder.segments;
        let (path, len) = (segments.path(number), segments.len(number)?);
        let is_last = self.begun == self.folder.numbers.len();
        let mut sections = segments.sections(number, u64::from(HEADER_LEN), len)?;
        if len <= u64::from(HEADER_LEN) && is_last {
            let unwritten = sections.bytes(0, len as usize)?.iter().all(|byte| *byte == 0);
            if unwritten || len < u64::from(HEADER_LEN) {
                let what = "the file was being created".to_owned();
                let unfinished = Unfinished { file: path, offset: 0, bytes: len, records: 0, what };
                self.pending.push_back(FolderItem::Unfinished(unfinished));
                return Ok(());
            }
        }
        if len < u64::from(HEADER_LEN) {
            self.damage(path, 0, format!("the file has {len} bytes, fewer than its header"));
            self.sequence = None;
            return Ok(());
        }
        if len > u64::from(u32::MAX) {
            self.damage(path, 0, format!("the file has {len} bytes, and no segment has more than 4 GiB"));
            self.sequence = None;
            return Ok(());
        }
        let previous = chain_root(number, segments.mark());
        let sequence = match self.sequence {
            Some(sequence) => sequence,
            // what was lost before is told; the first group here says where it stands
            None => find_record(&mut sections, u64::from(HEADER_LEN), len, segments.mark())?
                .filter(|found| found.record.previous == previous)
                .map_or(1, |found| found.record.sequence),
        };
        let from = JournalEnd { segment: number, offset: HEADER_LEN, sequence, previous };
        let mut groups = StoredGroups::new(sections, *segments.mark(), from);
        let mut damaged = false;
        match groups.check_header() {
            Ok(()) => {}
            Err(Fault::Disk(error)) => return Err(error),
            Err(Fault::Broken { at, what }) => {
                damaged = true;
                self.damage(path, at, what);
            }
        }
        self.reading = Some(Reading { groups, number, len, is_last, table: CidTable::default(), damaged });
        Ok(())
    }

    /// Reads the next group of the segment.
    fn read(&mut self, mut reading: Reading) {
        let path = || self.folder.segments.path(reading.number);
        match reading.groups.next() {
            Ok(Some(group)) => {
                if !reading.is_last {
                    reading.table.append(group.blocks.table().clone());
                }
                self.reached = group.end.place();
                self.pending.push_back(FolderItem::Group(CommittedGroup(group)));
                self.reading = Some(reading);
            }
            Ok(None) => {
                self.sequence = Some(reading.groups.position().sequence);
                self.check_index(&reading);
            }
            Err(Fault::Disk(error)) => {
                let at = reading.groups.sections().at();
                self.damage(path(), at, unreadable(&error));
                self.sequence = None;
            }
            Err(Fault::Broken { at, what }) => {
                let read = self.broken(&mut reading, at, what);
                match read {
                    Ok(true) => self.reading = Some(reading),
                    Ok(false) => self.sequence = None,
                    Err(error) => {
                        self.damage(self.folder.segments.path(reading.number), at, unreadable(&error));
                        self.sequence = None;
                    }
                }
            }
        }
    }

    /// What a broken place is, and whether there is something to go on with behind it.
    fn broken(&mut self, reading: &mut Reading, at: u64, what: String) -> Result<bool, DiskError> {
        let segments = &self.folder.segments;
        let path = segments.path(reading.number);
        let position = reading.groups.position();
        let start = u64::from(position.offset);
        let was_there = self.folder.state_end.is_some_and(|end| end.place() > position.place());
        if reading.is_last && !was_there {
            // the rules of opening a folder: see `cut_tail`
            let (mut search, mut records, mut torn) = (start, 0, true);
            while let Some(found) = find_record(reading.groups.sections(), search, reading.len, segments.mark())? {
                if self.folder.same_boot() || found.record.synced > start {
                    torn = false;
                    break;
                }
                records += 1;
                search = found.end;
            }
            if torn {
                let bytes = reading.len - start;
                let unfinished = Unfinished { file: path, offset: start, bytes, records, what };
                self.pending.push_back(FolderItem::Unfinished(unfinished));
                return Ok(false);
            }
        }
        reading.damaged = true;
        self.damage(path, at, what);
        let Some(found) = find_record(reading.groups.sections(), start, reading.len, segments.mark())? else {
            self.reached = (reading.number, u32::MAX);
            return Ok(false);
        };
        reading.groups.resume(JournalEnd {
            segment: reading.number,
            offset: found.end as u32,
            sequence: found.record.sequence.saturating_add(1),
            previous: found.digest,
        });
        self.reached = reading.groups.position().place();
        Ok(true)
    }

    /// Compares the index of a full segment with what is in it.
    fn check_index(&mut self, reading: &Reading) {
        if reading.is_last || reading.damaged {
            return;
        }
        let segments = &self.folder.segments;
        let path = segments.index_path(reading.number);
        match segments.index_agrees(reading.number, &reading.table) {
            Ok(None | Some(true)) => {}
            Ok(Some(false)) => self.damage(
                path,
                0,
                "the index does not agree with its segment; delete it while the folder is closed, it is made anew",
            ),
            Err(error) => self.damage(path, 0, unreadable(&error)),
        }
    }

    /// Whether everything is there that the state was made from.
    fn check_end(&mut self) {
        let Some(end) = self.folder.state_end.filter(|end| end.place() > self.reached) else { return };
        let path = self.folder.segments.path(end.segment);
        let what =
            format!("the state was made from the first {} bytes of this file, which are not all there", end.offset);
        let len = self.folder.segments.len(end.segment).unwrap_or(0);
        self.damage(path, len.min(u64::from(end.offset)), what);
    }
}

fn unreadable(error: &DiskError) -> String {
    format!("it cannot be read: {error}")
}

impl Iterator for FolderItems<'_> {
    type Item = FolderItem;

    fn next(&mut self) -> Option<FolderItem> {
        loop {
            if let Some(item) = self.pending.pop_front() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            match self.reading.take() {
                Some(reading) => self.read(reading),
                None => self.begin(),
            }
        }
    }
}

impl FusedIterator for FolderItems<'_> {}
