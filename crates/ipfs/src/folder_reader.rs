use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    DiskError, FolderItems, FolderSizes, OpenError, folder,
    journal_end::JournalEnd,
    lock::FolderLock,
    segments::Segments,
    state_file::StateFile,
    state_meta::{STATE_FORMAT, StateMeta},
};

/// A data folder at rest, for looking at what is in its segments, without the rules by which an application derives
/// state, and without changing anything.
///
/// It holds the folder's lock while it lives, so that nobody writes meanwhile. The text in `LOCK`, which tells others
/// who holds the folder, is the one thing that it writes.
///
/// ```no_run
/// use debros_ipfs::{FolderItem, FolderReader};
///
/// let folder = FolderReader::open("./data".as_ref())?;
/// for item in folder.items() {
///     match item {
///         FolderItem::Group(group) => println!("{} blocks", group.block_count()),
///         FolderItem::Damage(damage) => println!("{damage}"),
///         FolderItem::Unfinished(unfinished) => println!("{unfinished}"),
///     }
/// }
/// # Ok::<(), debros_ipfs::OpenError>(())
/// ```
#[derive(Debug)]
pub struct FolderReader {
    path: PathBuf,
    pub(crate) segments: Segments,
    /// The segment files that are there.
    pub(crate) numbers: Vec<u32>,
    state: FolderState,
    /// The groups before this place were in the state file.
    pub(crate) state_end: Option<JournalEnd>,
    lock: FolderLock,
}

/// How the derived tables of a data folder stand, which are made anew where they cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderState {
    /// They are there, as of some group.
    Present,
    /// The file is missing.
    Missing,
    /// The file is damaged, of another version, or was not closed and has to be repaired first.
    Unusable,
}

impl FolderReader {
    /// Locks a folder that is a data folder already.
    ///
    /// # Errors
    /// If it is none, is in use, has a newer format, or cannot be read.
    pub fn open(path: &Path) -> Result<FolderReader, OpenError> {
        // asked first, so that no lock file is left in a folder that is something else
        let mark = folder::mark_of(path)?;
        let lock = FolderLock::acquire_to_read(path)?;
        let dir = path.join("segments");
        let numbers = match folder::segment_numbers(&dir) {
            Err(DiskError::Other { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
            numbers => numbers?,
        };
        // nothing of a few blocks is read twice
        let segments = Segments::new(path.to_path_buf(), mark, 0);
        for number in numbers.iter().copied() {
            segments.add(number);
        }
        let state = path.join("state.redb");
        let there = state.try_exists().map_err(DiskError::at("reading", &state))?;
        let meta = there.then(|| StateFile::peek(&state)).flatten();
        let (state, state_end) = match meta {
            Some(StateMeta { format: STATE_FORMAT, end, .. }) => (FolderState::Present, Some(end)),
            _ if there => (FolderState::Unusable, None),
            _ => (FolderState::Missing, None),
        };
        Ok(FolderReader { path: path.to_path_buf(), segments, numbers, state, state_end, lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many segment files there are.
    pub fn segment_count(&self) -> usize {
        self.numbers.len()
    }

    /// How its derived tables stand.
    pub fn state(&self) -> FolderState {
        self.state
    }

    /// How much room its files take.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn sizes(&self) -> Result<FolderSizes, DiskError> {
        FolderSizes::of(&self.path)
    }

    /// Everything in the segments, in the order in which it was written, every hash checked. One group is in memory at
    /// a time, and the places of the blocks of one segment.
    pub fn items(&self) -> FolderItems<'_> {
        FolderItems::new(self)
    }

    pub(crate) fn same_boot(&self) -> bool {
        self.lock.same_boot()
    }
}
