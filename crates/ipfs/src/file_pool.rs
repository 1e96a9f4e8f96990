use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crate::{
    DiskError,
    car::{index_name, segment_name},
    locked::lock,
};

/// Most files that are kept open for reading: well below the usual limit of 1,024 of a process.
const MAX_OPEN: usize = 128;

/// A file of the `segments` folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FileName {
    Segment(u32),
    Index(u32),
}

/// Files open for reading, the least recently used of which are closed when there are too many.
#[derive(Debug)]
pub(crate) struct FilePool {
    dir: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<FileName, (Arc<File>, u64)>,
    uses: u64,
}

impl FilePool {
    /// Of the files in `dir`.
    pub(crate) fn new(dir: PathBuf) -> FilePool {
        FilePool { dir, open: Mutex::default() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(match name {
            FileName::Segment(number) => segment_name(number),
            FileName::Index(number) => index_name(number),
        })
    }

    pub(crate) fn get(&self, name: FileName) -> Result<Arc<File>, DiskError> {
        let mut open = lock(&self.open);
        open.uses += 1;
        let now = open.uses;
        if let Some((file, used)) = open.files.get_mut(&name) {
            *used = now;
            return Ok(file.clone());
        }
        let path = self.path(name);
        let file = Arc::new(File::open(&path).map_err(DiskError::at("opening", &path))?);
        if open.files.len() >= MAX_OPEN
            && let Some(oldest) = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(name, _)| *name)
        {
            open.files.remove(&oldest);
        }
        open.files.insert(name, (file.clone(), now));
        Ok(file)
    }

    /// Forgets a file that was replaced.
    pub(crate) fn forget(&self, name: FileName) {
        lock(&self.open).files.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_bounded_number_of_files_open_and_reopens_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let pool = FilePool::new(dir.path().to_path_buf());
        for number in 1..=(MAX_OPEN as u32 + 20) {
            std::fs::write(pool.path(FileName::Segment(number)), b"x").unwrap();
            pool.get(FileName::Segment(number)).unwrap();
        }
        assert_eq!(lock(&pool.open).files.len(), MAX_OPEN);
        assert!(!lock(&pool.open).files.contains_key(&FileName::Segment(1)));
        pool.get(FileName::Segment(1)).unwrap();
        assert!(pool.get(FileName::Index(1)).unwrap_err().to_string().contains("0000000001.index"));
    }
}
