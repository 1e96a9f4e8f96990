use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, Seek, SeekFrom, Write},
    sync::Arc,
};

use crate::{
    DiskError, Durability,
    car::{HEADER_LEN, header},
    file_at::sync_folder,
    group_blocks::GroupBlocks,
    journal_end::JournalEnd,
    journal_record::{self, JournalRecord},
    segments::Segments,
    step::Step,
};

/// Appends groups to the open segment.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    file: Arc<File>,
    /// Where the next group goes.
    end: JournalEnd,
    /// How many bytes of the file are known to be on the disk.
    synced: u64,
}

/// What a later sync needs: it runs without holding up the writer.
#[derive(Debug)]
pub(crate) struct Unsynced {
    pub(crate) file: Arc<File>,
    pub(crate) segment: u32,
    pub(crate) len: u64,
}

impl SegmentWriter {
    /// Goes on at the end of a segment, after a sync of what is there.
    pub(crate) fn open(segments: &Segments, end: JournalEnd) -> Result<SegmentWriter, DiskError> {
        let path = segments.path(end.segment);
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
            file.seek(SeekFrom::Start(u64::from(end.offset)))?;
            // What an earlier process wrote may still be in the system's memory alone.
            Step::RecoverySync.run(|| file.sync_data())?;
            Ok(file)
        };
        let file = Arc::new(open().map_err(DiskError::at("opening", &path))?);
        Ok(SegmentWriter { file, end, synced: u64::from(end.offset) })
    }

    /// Creates the file of a segment, durably, and makes it known. `end` is the place of its first group.
    pub(crate) fn create(segments: &Segments, end: JournalEnd) -> Result<SegmentWriter, DiskError> {
        let path = segments.path(end.segment);
        let create = || -> io::Result<File> {
            // A file that is there has no more than a part of a header: its creation was interrupted.
            let file = Step::SegmentCreate.run(|| -> io::Result<File> {
                let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
                file.write_all(&header(end.segment, segments.mark()))?;
                Ok(file)
            })?;
            Step::SegmentCreateSync.run(|| file.sync_all())?;
            Step::SegmentFolderSync.run(|| sync_folder(segments.segments_dir()))?;
            Ok(file)
        };
        let file = Arc::new(create().map_err(DiskError::at("creating", &path))?);
        segments.add_open(end.segment, HEADER_LEN);
        Ok(SegmentWriter { file, end, synced: u64::from(HEADER_LEN) })
    }

    /// What is not known to be on the disk, if anything.
    pub(crate) fn unsynced(&self) -> Option<Unsynced> {
        let len = u64::from(self.end.offset);
        (self.synced < len).then(|| Unsynced { file: self.file.clone(), segment: self.end.segment, len })
    }

    /// Notes that a sync of [`SegmentWriter::unsynced`] succeeded.
    pub(crate) fn note_synced(&mut self, synced: &Unsynced) {
        if synced.segment == self.end.segment {
            self.synced = self.synced.max(synced.len);
        }
    }

    pub(crate) fn sync(&mut self, segments: &Segments) -> Result<(), DiskError> {
        if let Some(unsynced) = self.unsynced() {
            let sync = Step::SegmentSync.run(|| unsynced.file.sync_data());
            sync.map_err(|e| DiskError::new("syncing", &segments.path(unsynced.segment), e))?;
            self.note_synced(&unsynced);
        }
        Ok(())
    }

    /// Appends a group, in the segment that its blocks were placed in, and syncs it if it is to be durable. A group
    /// without blocks and operations is not written.
    pub(crate) fn append(
        &mut self,
        segments: &Segments,
        blocks: &GroupBlocks,
        ops: Vec<Vec<u8>>,
        durability: Durability,
    ) -> Result<JournalEnd, DiskError> {
        if blocks.len() > 0 || !ops.is_empty() {
            if blocks.segment() != self.end.segment {
                self.sync(segments)?;
                *self = SegmentWriter::create(segments, self.end.next_segment(segments.mark()))?;
            }
            debug_assert_eq!((blocks.segment(), blocks.start()), self.end.place());
            let record = JournalRecord {
                sequence: self.end.sequence,
                synced: self.synced,
                blocks: blocks.len(),
                previous: self.end.previous,
                heads: blocks.heads(),
                ops,
            };
            let (section, digest) = journal_record::section(&record, segments.mark());
            Step::SegmentAppend
                .run(|| write_both(&self.file, blocks.bytes(), &section))
                .map_err(|e| DiskError::new("writing", &segments.path(self.end.segment), e))?;
            self.end.offset = blocks.end() + section.len() as u32;
            self.end.sequence += 1;
            self.end.previous = digest;
            segments.extend(blocks);
        }
        if durability == Durability::Local {
            self.sync(segments)?;
        }
        Ok(self.end)
    }
}

/// Writes two slices one after the other, with one call of the system where it takes them whole.
fn write_both(mut file: &File, mut first: &[u8], mut second: &[u8]) -> std::io::Result<()> {
    while !first.is_empty() {
        match file.write_vectored(&[IoSlice::new(first), IoSlice::new(second)]) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(n) if n < first.len() => first = &first[n..],
            Ok(n) => {
                second = &second[n - first.len()..];
                first = &[];
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.write_all(second)
}
