use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use bytes::Bytes;

use crate::{
    Damage, DiskError, MAX_BLOCK, Position, StoreError,
    block::{BlockKey, block_key, matches, matches_preceding},
    block_cache::BlockCache,
    car::{HEADER_LEN, index_name, segment_name},
    cid_table::CidTable,
    file_at::sync_folder,
    file_pool::FilePool,
    group_blocks::GroupBlocks,
    journal_record,
    locked::lock,
    sections::{Fault, Sections},
    segment_file::SegmentFile,
    segment_index::SegmentIndex,
    step::Step,
    store_mark::StoreMark,
    tail::find_record,
};

/// Bytes before a block's data that end with the digest of its CID.
const PRECEDING: usize = 34;

/// The segment files of a store, for reading.
#[derive(Debug)]
pub(crate) struct Segments {
    /// The data folder, for messages.
    folder: PathBuf,
    mark: StoreMark,
    files: FilePool<SegmentFile>,
    indexes: FilePool<File>,
    /// Who writes an index, or replaces a segment, has it to themselves.
    sealing: Mutex<()>,
    cache: BlockCache,
    all: RwLock<BTreeMap<u32, Arc<Segment>>>,
}

/// One segment file and what is known of its blocks.
#[derive(Debug)]
pub(crate) struct Segment {
    number: u32,
    blocks: Mutex<Blocks>,
}

#[derive(Debug)]
enum Blocks {
    /// The segment is sealed and its index was read.
    Sealed(Arc<SegmentIndex>),
    /// Blocks are in memory, but for those before `unread_to`, which are read from the file when somebody asks, and
    /// those that `damage` made unfindable.
    Memory { table: Arc<CidTable>, unread_to: u32, damage: Option<Damage> },
    /// Nothing was asked of this segment yet.
    Unread,
}

/// What memory says of a block of a segment.
enum Lookup {
    Done(Option<(u32, u32)>),
    /// It is to be looked up in the index file.
    Index(Arc<SegmentIndex>),
}

impl Segments {
    pub(crate) fn new(folder: PathBuf, mark: StoreMark, block_cache: usize) -> Segments {
        let dir = folder.join("segments");
        let files = FilePool::new(dir.clone(), segment_name, move |path| SegmentFile::open(path, mark));
        let indexes = FilePool::new(dir, index_name, |path| File::open(path));
        let (sealing, cache, all) = (Mutex::default(), BlockCache::new(block_cache), RwLock::default());
        Segments { folder, mark, files, indexes, sealing, cache, all }
    }

    pub(crate) fn mark(&self) -> &StoreMark {
        &self.mark
    }

    pub(crate) fn segments_dir(&self) -> &Path {
        self.files.dir()
    }

    pub(crate) fn path(&self, number: u32) -> PathBuf {
        self.files.path(number)
    }

    pub(crate) fn file(&self, number: u32) -> Result<Arc<SegmentFile>, DiskError> {
        self.files.get(number)
    }

    /// Length of a segment in bytes, with what was taken out of it: where offsets end.
    pub(crate) fn len(&self, number: u32) -> Result<u64, DiskError> {
        self.file(number)?.len().map_err(DiskError::at("reading", &self.path(number)))
    }

    /// Length of a segment file in bytes, which tells it from what it was before it was rewritten.
    pub(crate) fn disk_len(&self, number: u32) -> Result<u64, DiskError> {
        self.file(number)?.disk_len().map_err(DiskError::at("reading", &self.path(number)))
    }

    /// Length of all segment files, in bytes.
    pub(crate) fn total_len(&self) -> Result<u64, DiskError> {
        let numbers: Vec<u32> = self.all.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        let len = |number| {
            let path = self.path(number);
            std::fs::metadata(&path).map(|meta| meta.len()).map_err(DiskError::at("reading", &path))
        };
        numbers.into_iter().map(len).sum()
    }

    /// The sections of a segment from `at` to `end`.
    pub(crate) fn sections(&self, number: u32, at: u64, end: u64) -> Result<Sections, DiskError> {
        Ok(Sections::new(self.file(number)?, self.path(number), at, end))
    }

    /// Adds a segment of which nothing is known yet.
    pub(crate) fn add(&self, number: u32) {
        self.put(number, Blocks::Unread);
    }

    /// Adds the segment that is written from `from` on.
    pub(crate) fn add_open(&self, number: u32, from: u32) {
        self.put(number, Blocks::Memory { table: Arc::default(), unread_to: from, damage: None });
    }

    fn put(&self, number: u32, blocks: Blocks) {
        let segment = Arc::new(Segment { number, blocks: Mutex::new(blocks) });
        self.all.write().unwrap_or_else(PoisonError::into_inner).insert(number, segment);
    }

    /// Makes the blocks of a group that was written findable.
    pub(crate) fn extend(&self, group: &GroupBlocks) {
        let Some(segment) = self.get(group.segment()) else { return };
        if let Blocks::Memory { table, .. } = &mut *lock(&segment.blocks) {
            Arc::make_mut(table).append(group.table().clone());
        }
    }

    fn get(&self, number: u32) -> Option<Arc<Segment>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// The block at a position, checked against the digest that lies before it.
    pub(crate) fn read(&self, position: Position) -> Result<Bytes, StoreError> {
        if let Some(block) = self.cache.get(position) {
            return Ok(block);
        }
        let block = self.read_file(position)?;
        self.cache.insert(position, block.clone());
        Ok(block)
    }

    fn read_file(&self, position: Position) -> Result<Bytes, StoreError> {
        let missing = || StoreError::NoSuchPosition { position, path: self.folder.clone() };
        let len = position.len as usize;
        let from = u64::from(position.offset).checked_sub(PRECEDING as u64);
        let Some(from) = from.filter(|_| len <= MAX_BLOCK && self.get(position.segment).is_some()) else {
            return Err(missing());
        };
        let file = self.file(position.segment)?;
        if file.is_gone(position.offset.into()) {
            return Err(StoreError::Gone { position, path: self.folder.clone() });
        }
        let mut bytes = vec![0; PRECEDING + len];
        Step::SegmentRead.run(|| file.read_exact_at(&mut bytes, from)).map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => missing(),
            _ => DiskError::new("reading", &self.path(position.segment), source).into(),
        })?;
        let intact =
            bytes.split_first_chunk::<PRECEDING>().is_some_and(|(before, data)| matches_preceding(before, data));
        if !intact {
            return Err(StoreError::Damaged(Damage {
                file: self.path(position.segment),
                offset: u64::from(position.offset),
                what: format!("the block of {len} bytes here does not match the hash beside it"),
            }));
        }
        Ok(Bytes::from(bytes).slice(PRECEDING..))
    }

    /// Where the newest copy of a block lies that begins before the place `before` (segment and offset).
    pub(crate) fn find(&self, key: &BlockKey, before: (u32, u32)) -> Result<Option<Position>, StoreError> {
        let segments: Vec<Arc<Segment>> = {
            let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
            all.range(..=before.0).rev().map(|(_, segment)| segment.clone()).collect()
        };
        let mut damaged = None;
        for segment in segments {
            let limit = if segment.number == before.0 { before.1 } else { u32::MAX };
            match self.find_in(&segment, key, limit) {
                Ok(Some((offset, len))) => return Ok(Some(Position { segment: segment.number, offset, len })),
                Ok(None) => {}
                // The block may lie in another segment; if it does not, it may be what was damaged.
                Err(error @ StoreError::Damaged(_)) => damaged = Some(error),
                Err(error) => return Err(error),
            }
        }
        damaged.map_or(Ok(None), Err)
    }

    /// The newest copy of a block that begins before the place `before`, and where it lies.
    pub(crate) fn read_newest(
        &self,
        key: &BlockKey,
        mut before: (u32, u32),
    ) -> Result<Option<(Position, Bytes)>, StoreError> {
        loop {
            let Some(position) = self.find(key, before)? else { return Ok(None) };
            match self.read(position) {
                // it was taken out in between; there may be another copy before it
                Err(StoreError::Gone { .. }) => before = (position.segment, position.offset),
                block => return Ok(Some((position, block?))),
            }
        }
    }

    fn find_in(&self, segment: &Segment, key: &BlockKey, before: u32) -> Result<Option<(u32, u32)>, StoreError> {
        loop {
            let index = match self.index_of(segment, key, before)? {
                Lookup::Done(found) => return Ok(found),
                Lookup::Index(index) => index,
            };
            let number = segment.number;
            let found =
                self.indexes.get(number).and_then(|file| index.find(&file, &self.indexes.path(number), key, before));
            // the file may have been replaced in between, or just be missing
            if matches!(&*lock(&segment.blocks), Blocks::Sealed(now) if Arc::ptr_eq(now, &index)) {
                return Ok(found?);
            }
        }
    }

    /// What is known in memory of a block, or the index to look it up in.
    fn index_of(&self, segment: &Segment, key: &BlockKey, before: u32) -> Result<Lookup, StoreError> {
        {
            let mut blocks = lock(&segment.blocks);
            if matches!(*blocks, Blocks::Unread) {
                *blocks = self.first_read(segment.number)?;
            }
            match &mut *blocks {
                Blocks::Sealed(index) => Ok(Lookup::Index(index.clone())),
                Blocks::Memory { table, unread_to, damage } => {
                    if let Some(found) = table.find(key, before) {
                        return Ok(Lookup::Done(Some(found)));
                    }
                    if *unread_to > HEADER_LEN {
                        let (earlier, found_damage) = self.read_table(segment.number, u64::from(*unread_to))?;
                        Arc::make_mut(table).append(earlier);
                        *unread_to = HEADER_LEN;
                        *damage = found_damage;
                    }
                    match (table.find(key, before), damage) {
                        (None, Some(damage)) => Err(StoreError::Damaged(damage.clone())),
                        (found, _) => Ok(Lookup::Done(found)),
                    }
                }
                Blocks::Unread => Ok(Lookup::Done(None)),
            }
        }
    }

    fn first_read(&self, number: u32) -> Result<Blocks, StoreError> {
        let path = self.indexes.path(number);
        Ok(match SegmentIndex::open(&path, number, self.disk_len(number)?)? {
            Some(index) => Blocks::Sealed(Arc::new(index)),
            None => {
                let (table, damage) = self.read_table(number, self.len(number)?)?;
                Blocks::Memory { table: Arc::new(table), unread_to: HEADER_LEN, damage }
            }
        })
    }

    /// Reads the places of the blocks before `end` from the segment file itself, and the first damage in it.
    fn read_table(&self, number: u32, end: u64) -> Result<(CidTable, Option<Damage>), DiskError> {
        let mut table = CidTable::default();
        let mut damage = None;
        let prefix = journal_record::prefix(&self.mark);
        let mut sections = self.sections(number, u64::from(HEADER_LEN), end)?;
        loop {
            let at = sections.at();
            let what = match sections.next() {
                Ok(None) => break,
                Ok(Some(section)) if section.is_gone => continue,
                Ok(Some(section)) => {
                    let data = sections.data(&section)?;
                    if matches(&section.cid, data) == Some(true) {
                        if !data.starts_with(&prefix) {
                            table.insert(block_key(&section.cid), section.data_at as u32, section.data_len);
                        }
                        continue;
                    }
                    // The framing may be whole: what follows is read on.
                    format!("the content does not match its CID {}", section.cid)
                }
                Err(Fault::Disk(error)) => return Err(error),
                Err(Fault::Broken { what, .. }) => {
                    match find_record(&mut sections, at, end, &self.mark)? {
                        Some(found) => sections.seek(found.end),
                        None => sections.seek(end),
                    }
                    what
                }
            };
            damage.get_or_insert(Damage { file: self.path(number), offset: at, what });
        }
        Ok((table, damage))
    }

    /// Writes the index of a segment that will not change any more, if it has no good one.
    pub(crate) fn seal(&self, number: u32) -> Result<(), StoreError> {
        let Some(segment) = self.get(number) else { return Ok(()) };
        let _sealing = lock(&self.sealing);
        if matches!(*lock(&segment.blocks), Blocks::Sealed(_)) {
            return Ok(());
        }
        let disk_len = self.disk_len(number)?;
        let path = self.indexes.path(number);
        let index = match SegmentIndex::open(&path, number, disk_len)? {
            Some(index) => Some(index),
            None => {
                let known = match &*lock(&segment.blocks) {
                    Blocks::Memory { table, unread_to, damage } if *unread_to == HEADER_LEN => {
                        Some((table.clone(), damage.clone()))
                    }
                    _ => None,
                };
                let (table, damage) = match known {
                    Some(known) => known,
                    None => {
                        let (table, damage) = self.read_table(number, self.len(number)?)?;
                        (Arc::new(table), damage)
                    }
                };
                // An index says for good which blocks there are; what was damaged may be restored.
                if let Some(damage) = damage {
                    return Err(StoreError::Damaged(damage));
                }
                SegmentIndex::write(&path, number, disk_len, &table)?;
                self.indexes.forget(number);
                SegmentIndex::open(&path, number, disk_len)?
            }
        };
        if let Some(index) = index {
            *lock(&segment.blocks) = Blocks::Sealed(Arc::new(index));
        }
        Ok(())
    }

    /// Puts a rewritten file in the place of a segment, whose blocks are now those of `table`.
    pub(crate) fn replace(&self, number: u32, draft: &Path, table: CidTable) -> Result<(), StoreError> {
        self.replace_file(number, draft, table).inspect_err(|_| {
            // the file of before has no index now; without one its blocks are found from memory
            let _ = self.seal(number);
        })
    }

    fn replace_file(&self, number: u32, draft: &Path, table: CidTable) -> Result<(), StoreError> {
        let Some(segment) = self.get(number) else { return Ok(()) };
        let _sealing = lock(&self.sealing);
        let mut blocks = lock(&segment.blocks);
        let path = self.path(number);
        // whatever becomes of it, what is known of the file of before is of no use
        *blocks = Blocks::Unread;
        // the index first, and durably, so that none is ever beside a file that it does not belong to
        let index_path = self.indexes.path(number);
        self.indexes.forget(number);
        match std::fs::remove_file(&index_path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(DiskError::new("removing", &index_path, error).into());
            }
            _ => sync_folder(self.segments_dir()).map_err(DiskError::at("syncing", self.segments_dir()))?,
        }
        Step::SegmentReplace.run(|| self.files.replace(number, draft)).map_err(DiskError::at("replacing", &path))?;
        self.cache.forget(number);
        let table = Arc::new(table);
        *blocks = Blocks::Memory { table: table.clone(), unread_to: HEADER_LEN, damage: None };
        Step::SegmentReplaceSync.run(|| sync_folder(self.segments_dir())).map_err(DiskError::at("syncing", &path))?;
        // What is not written now is after the next open; until then the table is in memory.
        let disk_len = self.disk_len(number)?;
        let index = SegmentIndex::write(&index_path, number, disk_len, &table);
        self.indexes.forget(number);
        if let Ok(Some(index)) = index.and_then(|()| SegmentIndex::open(&index_path, number, disk_len)) {
            *blocks = Blocks::Sealed(Arc::new(index));
        }
        Ok(())
    }

    /// Whether a segment has a good index file: what `verify` asks.
    pub(crate) fn index_agrees(&self, number: u32, table: &CidTable) -> Result<Option<bool>, DiskError> {
        let path = self.indexes.path(number);
        if !path.exists() {
            return Ok(None);
        }
        let len = self.disk_len(number)?;
        Ok(Some(SegmentIndex::open(&path, number, len)?.is_some() && SegmentIndex::agrees(&path, table)?))
    }

    pub(crate) fn index_path(&self, number: u32) -> PathBuf {
        self.indexes.path(number)
    }
}
