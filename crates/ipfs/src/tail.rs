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
pub(crate) fn find_record(sections: &mut Sections, from: u64, end: u64, mark: &StoreMark) -> Result<Option<FoundRecord>, DiskError> {
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
fn record_at(sections: &mut Sections, from: u64, data_at: u64, end: u64, mark: &StoreMark) -> Result<Option<FoundRecord>, DiskError> {
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
