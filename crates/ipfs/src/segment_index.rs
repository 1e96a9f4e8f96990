use std::{
    fs::File,
    io::{BufWriter, Read, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{
    DiskError,
    block::BlockKey,
    block_filter::BlockFilter,
    cid_table::CidTable,
    file_at::{read_exact_at, sync_folder},
    step::Step,
};

const MAGIC: [u8; 8] = *b"DBRSIDX1";
/// Magic, segment number, count, length of the segment file.
const HEAD: usize = 24;
/// 256 counts of four bytes.
const FANOUT: usize = 1024;
/// Key, offset and length.
const ENTRY: usize = 40;
const CHECKSUM: usize = 32;

/// The sorted table of the blocks of a sealed segment: on the disk, but for 256 counts that say where the keys of
/// each first byte lie, and a filter that knows most blocks that are not there.
#[derive(Debug)]
pub(crate) struct SegmentIndex {
    /// How many entries have a first byte of at most the index.
    fanout: Vec<u32>,
    filter: BlockFilter,
}

impl SegmentIndex {
    /// Writes the index of a segment file of `segment_len` bytes beside it, durably.
    pub(crate) fn write(path: &Path, segment: u32, segment_len: u64, table: &CidTable) -> Result<(), DiskError> {
        let temporary = path.with_extension("index.new");
        let write = || {
            let file = Step::IndexWrite.run(|| write_to(File::create(&temporary)?, segment, segment_len, table))?;
            Step::IndexSync.run(|| file.sync_all())?;
            Step::IndexRename.run(|| std::fs::rename(&temporary, path))?;
            Step::IndexFolderSync.run(|| path.parent().map_or(Ok(()), sync_folder))
        };
        write().map_err(DiskError::at("writing", path))
    }

    /// Reads an index and checks it; `None` when it is missing, damaged or of another segment file: then it is made anew.
    pub(crate) fn open(path: &Path, segment: u32, segment_len: u64) -> Result<Option<SegmentIndex>, DiskError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DiskError::new("opening", path, error)),
        };
        let file_len = file.metadata().map_err(DiskError::at("reading", path))?.len();
        if file_len > (HEAD + FANOUT + CHECKSUM) as u64 + ENTRY as u64 * u64::from(u32::MAX) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(DiskError::at("reading", path))?;
        Ok(Self::parse(&bytes, segment, segment_len))
    }

    fn parse(bytes: &[u8], segment: u32, segment_len: u64) -> Option<SegmentIndex> {
        let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        if Sha256::digest(content)[..] != *checksum {
            return None;
        }
        let (head, rest) = content.split_at_checked(HEAD)?;
        let (counts, entries) = rest.split_at_checked(FANOUT)?;
        let count = u32::from_be_bytes(head[12..16].try_into().ok()?);
        let right = head[..8] == MAGIC
            && head[8..12] == segment.to_be_bytes()
            && head[16..] == segment_len.to_be_bytes()
            && entries.len() as u64 == u64::from(count) * ENTRY as u64;
        if !right {
            return None;
        }
        let fanout: Vec<u32> = counts.as_chunks::<4>().0.iter().map(|c| u32::from_be_bytes(*c)).collect();
        if !fanout.is_sorted() || fanout.last() != Some(&count) {
            return None;
        }
        let mut filter = BlockFilter::with_capacity(count as usize);
        for entry in entries.chunks_exact(ENTRY) {
            filter.insert(entry[..32].try_into().ok()?);
        }
        Some(SegmentIndex { fanout, filter })
    }

    /// Offset and length of the last copy of a block that begins before `before`. `file` is the index file.
    pub(crate) fn find(
        &self,
        file: &File,
        path: &Path,
        key: &BlockKey,
        before: u32,
    ) -> Result<Option<(u32, u32)>, DiskError> {
        if !self.filter.may_contain(key) {
            return Ok(None);
        }
        let first = usize::from(key[0]);
        let from = if first == 0 { 0 } else { self.fanout[first - 1] };
        let count = self.fanout[first] - from;
        let mut bucket = vec![0; count as usize * ENTRY];
        let at = (HEAD + FANOUT) as u64 + u64::from(from) * ENTRY as u64;
        read_exact_at(file, &mut bucket, at).map_err(DiskError::at("reading", path))?;
        let (entries, _) = bucket.as_chunks::<ENTRY>();
        let mut limit = [0; ENTRY];
        limit[..32].copy_from_slice(key);
        limit[32..36].copy_from_slice(&before.to_be_bytes());
        let after = entries.partition_point(|entry| entry[..36] < limit[..36]);
        let entry = after.checked_sub(1).map(|i| &entries[i]).filter(|entry| entry[..32] == *key);
        Ok(entry.map(|e| {
            let number = |at: usize| u32::from_be_bytes([e[at], e[at + 1], e[at + 2], e[at + 3]]);
            (number(32), number(36))
        }))
    }

    /// Whether the index in these bytes is exactly that of `table`.
    pub(crate) fn agrees(path: &Path, table: &CidTable) -> Result<bool, DiskError> {
        let bytes = std::fs::read(path).map_err(DiskError::at("reading", path))?;
        let Some(entries) = bytes.get(HEAD + FANOUT..bytes.len().saturating_sub(CHECKSUM)) else { return Ok(false) };
        let (entries, rest) = entries.as_chunks::<ENTRY>();
        Ok(rest.is_empty()
            && entries.len() == table.len()
            && entries.iter().zip(table.iter()).all(|(entry, (key, offset, len))| {
                entry[..32] == *key && entry[32..36] == offset.to_be_bytes() && entry[36..] == len.to_be_bytes()
            }))
    }
}

fn write_to(file: File, segment: u32, segment_len: u64, table: &CidTable) -> std::io::Result<File> {
    let mut out = Hashing { out: BufWriter::new(file), hash: Sha256::new() };
    out.write_all(&MAGIC)?;
    out.write_all(&segment.to_be_bytes())?;
    out.write_all(&(table.len() as u32).to_be_bytes())?;
    out.write_all(&segment_len.to_be_bytes())?;
    let mut counts = [0u32; 256];
    for (key, ..) in table.iter() {
        counts[usize::from(key[0])] += 1;
    }
    let mut sum = 0;
    for count in counts {
        sum += count;
        out.write_all(&sum.to_be_bytes())?;
    }
    for (key, offset, len) in table.iter() {
        out.write_all(key)?;
        out.write_all(&offset.to_be_bytes())?;
        out.write_all(&len.to_be_bytes())?;
    }
    let checksum = out.hash.finalize();
    out.out.write_all(&checksum)?;
    out.out.into_inner().map_err(std::io::IntoInnerError::into_error)
}

struct Hashing {
    out: BufWriter<File>,
    hash: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::sha256;

    #[test]
    fn finds_what_the_table_finds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0000000001.index");
        let mut table = CidTable::default();
        for i in 0..5000u32 {
            table.insert(sha256(&(i % 4000).to_be_bytes()), 41 + i * 10, i);
        }
        SegmentIndex::write(&path, 1, 60_000, &table).unwrap();
        let index = SegmentIndex::open(&path, 1, 60_000).unwrap().unwrap();
        let file = File::open(&path).unwrap();
        for i in 0..6000u32 {
            let key = sha256(&i.to_be_bytes());
            for before in [0, 41 + i * 10, 42 + i * 10, u32::MAX] {
                assert_eq!(index.find(&file, &path, &key, before).unwrap(), table.find(&key, before), "{i} {before}");
            }
        }
        assert!(SegmentIndex::agrees(&path, &table).unwrap());
        table.insert([0; 32], 1, 1);
        assert!(!SegmentIndex::agrees(&path, &table).unwrap());
    }

    #[test]
    fn an_index_that_is_damaged_or_of_another_file_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0000000001.index");
        let mut table = CidTable::default();
        table.insert([1; 32], 41, 3);
        table.insert([255; 32], 90, 3);
        SegmentIndex::write(&path, 1, 200, &table).unwrap();
        assert!(SegmentIndex::open(&path, 1, 200).unwrap().is_some());
        assert!(SegmentIndex::open(&path, 2, 200).unwrap().is_none());
        assert!(SegmentIndex::open(&path, 1, 201).unwrap().is_none());
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(SegmentIndex::open(&path, 1, 200).unwrap().is_none(), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(SegmentIndex::open(&path, 1, 200).unwrap().is_none(), "length {at}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(SegmentIndex::open(&path, 1, 200).unwrap().is_none());
    }
}
