use crate::{
    DiskError,
    block::sha256,
    journal_record::{self, CID_LEN, JournalRecord, PREFIX_LEN},
    sections::{MAX_SECTION, Sections},
    store_mark::StoreMark,
    varint::{MAX_VARINT, read_varint},
};

/// How much is searched at once.
const CHUNK: usize = 64 << 10;

/// A journal record found by search, without the groups before it.
#[derive(Debug)]
pub(crate) struct FoundRecord {
    pub(crate) record: JournalRecord,
    pub(crate) digest: [u8; 32],
    /// Offset of the byte after it.
    pub(crate) end: u64,
}

/// The first journal record that begins at or after `from` and whose bytes match its hash, whatever lies around it. What lies behind a broken
/// place is judged by it: a torn tail has none, or none that proves that the place was once on the disk.
pub(crate) fn find_record(
    sections: &mut Sections,
    from: u64,
    end: u64,
    mark: &StoreMark,
) -> Result<Option<FoundRecord>, DiskError> {
    let prefix = journal_record::prefix(mark);
    let mut at = from;
    while at + (PREFIX_LEN as u64) <= end {
        // Chunks overlap, so that a record across their border is seen.
        let len = (end - at).min((CHUNK + PREFIX_LEN - 1) as u64) as usize;
        let chunk = sections.bytes(at, len)?;
        let hits: Vec<u64> =
            chunk.windows(PREFIX_LEN).enumerate().filter(|(_, w)| *w == prefix).map(|(i, _)| at + i as u64).collect();
        for data_at in hits {
            if let Some(found) = record_at(sections, from, data_at, end, mark)? {
                return Ok(Some(found));
            }
        }
        at += CHUNK as u64;
    }
    Ok(None)
}

/// The record whose data begins at `data_at`, if there is a whole one in a section that begins at or after `from`.
fn record_at(
    sections: &mut Sections,
    from: u64,
    data_at: u64,
    end: u64,
    mark: &StoreMark,
) -> Result<Option<FoundRecord>, DiskError> {
    let Some(cid_at) = data_at.checked_sub(CID_LEN as u64).filter(|at| *at > from) else { return Ok(None) };
    let Some(digest) = journal_record::cid_digest(sections.bytes(cid_at, CID_LEN)?) else { return Ok(None) };
    for varint in 1..=MAX_VARINT as u64 {
        let Some(at) = cid_at.checked_sub(varint).filter(|at| *at >= from) else { break };
        let Some((len, read)) = read_varint(sections.bytes(at, varint as usize)?) else { continue };
        let section_end = cid_at + u64::from(len);
        if read as u64 != varint || len > MAX_SECTION || (len as usize) < CID_LEN || section_end > end {
            continue;
        }
        let data = sections.bytes(data_at, len as usize - CID_LEN)?;
        if sha256(data) == digest
            && let Some(record) = journal_record::decode(data, mark)
        {
            return Ok(Some(FoundRecord { record, digest, end: section_end }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment_file::SegmentFile;
    use std::sync::Arc;

    const MARK: StoreMark = StoreMark::from_bytes([3; 16]);

    fn search(bytes: &[u8], from: u64) -> Option<(u64, u64)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.car");
        std::fs::write(&path, bytes).unwrap();
        let file = Arc::new(SegmentFile::open(&path, MARK).unwrap());
        let end = bytes.len() as u64;
        let mut sections = Sections::new(file, path, 0, end);
        let found = find_record(&mut sections, from, end, &MARK).unwrap()?;
        Some((found.record.sequence, found.end))
    }

    fn record(sequence: u64, ops: usize) -> Vec<u8> {
        let ops = vec![vec![7; 10]; ops];
        let record = JournalRecord { sequence, synced: 9, blocks: 1, previous: [1; 32], heads: [2; 32], ops };
        journal_record::section(&record, &MARK).0
    }

    #[test]
    fn finds_whole_records_wherever_they_are() {
        // Of all lengths of the varint that a group has in practice, and across the borders of what is read at once.
        for ops in [0, 5, 100, 2000, 30_000] {
            for before in [0, 1, CHUNK - 60, CHUNK - 30, CHUNK, 5 * CHUNK + 17] {
                let record = record(5, ops);
                let bytes = [&vec![0x89; before][..], &record, b"behind"].concat();
                let end = (before + record.len()) as u64;
                assert_eq!(search(&bytes, 0), Some((5, end)), "{ops} {before}");
                assert_eq!(search(&bytes, before as u64), Some((5, end)));
                assert_eq!(search(&bytes, before as u64 + 1), None, "its beginning is not in what is searched");
            }
        }
    }

    #[test]
    fn passes_over_records_that_are_broken_cut_off_or_of_another_store() {
        let mut broken = record(1, 3);
        let last = broken.len() - 1;
        broken[last] ^= 1;
        let other = JournalRecord { sequence: 2, synced: 0, blocks: 0, previous: [0; 32], heads: [0; 32], ops: vec![] };
        let (foreign, _) = journal_record::section(&other, &StoreMark::from_bytes([4; 16]));
        let whole = record(3, 3);
        let mut cut_off = record(4, 3);
        cut_off.pop();
        let bytes = [&broken[..], &foreign, &whole, &cut_off].concat();
        let end = (broken.len() + foreign.len() + whole.len()) as u64;
        assert_eq!(search(&bytes, 0), Some((3, end)));
        assert_eq!(search(&bytes, end), None);
    }
}
