use std::{fs::File, io, path::Path};

use crate::{
    car::{GENERATION, HEADER_LEN, header},
    file_at::read_exact_at,
    gaps::{self, Gap, Gaps},
    store_mark::StoreMark,
};

/// A segment file that is open for reading. Whether blocks were taken out of it or not, it is read as it was before, byte by byte;
/// of a block that was taken out, the content reads as zeros.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    file: File,
    mark: StoreMark,
    gaps: Gaps,
}

impl SegmentFile {
    pub(crate) fn open(path: &Path, mark: StoreMark) -> io::Result<SegmentFile> {
        let mut segment = SegmentFile { file: File::open(path)?, mark, gaps: Gaps::default() };
        if let Some(gaps) = segment.read_gaps()? {
            segment.gaps = gaps;
        }
        Ok(segment)
    }

    /// The gaps of a file that was rewritten. One whose header or table is damaged passes for one that never was; then
    /// its header is none, and no block is where it should be.
    fn read_gaps(&self) -> io::Result<Option<Gaps>> {
        let file_len = self.file.metadata()?.len();
        if file_len < u64::from(HEADER_LEN) + gaps::LEN_BYTES as u64 {
            return Ok(None);
        }
        let mut head = [0; HEADER_LEN as usize];
        read_exact_at(&self.file, &mut head, 0)?;
        let (number, generation) = (number_at(&head, GENERATION.start - 4), number_at(&head, GENERATION.start));
        let mut first = head;
        first[GENERATION].fill(0);
        if generation == 0 || first != header(number, &self.mark) {
            return Ok(None);
        }
        let mut len = [0; gaps::LEN_BYTES];
        read_exact_at(&self.file, &mut len, HEADER_LEN.into())?;
        let Some(len) = gaps::section_len(&len).filter(|len| u64::from(HEADER_LEN) + len <= file_len) else {
            return Ok(None);
        };
        let mut table = vec![0; len as usize];
        read_exact_at(&self.file, &mut table, HEADER_LEN.into())?;
        Ok(Gaps::read(&table, &self.mark).filter(|gaps| gaps.generation() == generation))
    }

    /// How often it was rewritten.
    pub(crate) fn generation(&self) -> u32 {
        self.gaps.generation()
    }

    /// How many bytes the file takes.
    pub(crate) fn disk_len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// How many it took before anything was taken out of it.
    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.gaps.len_before(self.disk_len()?))
    }

    /// Whether the block of which this byte was a part was taken out.
    pub(crate) fn is_gone(&self, offset: u64) -> bool {
        self.gaps.at(offset).is_some()
    }

    /// Reads bytes as they were.
    pub(crate) fn read_exact_at(&self, mut out: &mut [u8], mut at: u64) -> io::Result<()> {
        while !out.is_empty() {
            let read = match self.gaps.at(at) {
                Some(gap) => {
                    let len = out.len().min((u64::from(gap.end()) - at) as usize);
                    self.read_gap(gap, &mut out[..len], at)?;
                    len
                }
                None => {
                    let (place, until) = self.gaps.place(at);
                    // the table lies behind the header
                    let until = if at < HEADER_LEN.into() { until.min(u64::from(HEADER_LEN) - at) } else { until };
                    let len = out.len().min(usize::try_from(until).unwrap_or(usize::MAX));
                    read_exact_at(&self.file, &mut out[..len], place)?;
                    if self.gaps.generation() > 0 {
                        // the header was another one then
                        for byte in GENERATION.filter_map(|byte| (byte as u64).checked_sub(at)) {
                            if let Some(byte) = out[..len].get_mut(byte as usize) {
                                *byte = 0;
                            }
                        }
                    }
                    len
                }
            };
            out = &mut out[read..];
            at += read as u64;
        }
        Ok(())
    }

    fn read_gap(&self, gap: &Gap, out: &mut [u8], at: u64) -> io::Result<()> {
        let mut stand_in = vec![0; gap.stands as usize];
        read_exact_at(&self.file, &mut stand_in, gap.stands_at)?;
        out.fill(0);
        gaps::fill(&stand_in, &self.mark, at - u64::from(gap.at), out);
        Ok(())
    }
}

fn number_at(head: &[u8; HEADER_LEN as usize], at: usize) -> u32 {
    u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}
