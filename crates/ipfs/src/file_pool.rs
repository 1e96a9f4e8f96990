use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crate::{DiskError, locked::lock};

/// Most files that a pool keeps open: with two pools, well below the usual limit of 1,024 of a process.
const MAX_OPEN: usize = 64;

/// Files of the `segments` folder of one kind, by the number of their segment, open for reading. The least recently used of them
/// are closed when there are too many.
pub(crate) struct FilePool<F> {
    dir: PathBuf,
    name: fn(u32) -> String,
    open_file: OpenFile<F>,
    open: Mutex<Open<F>>,
}

/// How a file is opened.
type OpenFile<F> = Box<dyn Fn(&Path) -> io::Result<F> + Send + Sync>;

#[derive(Debug)]
struct Open<F> {
    files: HashMap<u32, (Arc<F>, u64)>,
    uses: u64,
    /// How often a file was replaced.
    replaced: u64,
}

impl<F> Open<F> {
    fn keep(&mut self, number: u32, file: &Arc<F>, now: u64) {
        if self.files.len() >= MAX_OPEN
            && let Some(oldest) = self.files.iter().min_by_key(|(_, (_, used))| *used).map(|(number, _)| *number)
        {
            self.files.remove(&oldest);
        }
        self.files.insert(number, (file.clone(), now));
    }

    fn forget(&mut self, number: u32) {
        self.replaced += 1;
        self.files.remove(&number);
    }
}

impl<F> FilePool<F> {
    /// Of the files in `dir` with these names.
    pub(crate) fn new(
        dir: PathBuf,
        name: fn(u32) -> String,
        open_file: impl Fn(&Path) -> io::Result<F> + Send + Sync + 'static,
    ) -> FilePool<F> {
        let open = Mutex::new(Open { files: HashMap::new(), uses: 0, replaced: 0 });
        FilePool { dir, name, open_file: Box::new(open_file), open }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, number: u32) -> PathBuf {
        self.dir.join((self.name)(number))
    }

    pub(crate) fn get(&self, number: u32) -> Result<Arc<F>, DiskError> {
        let path = self.path(number);
        let mut opened: Option<(Arc<F>, u64)> = None;
        loop {
            let mut open = lock(&self.open);
            open.uses += 1;
            let now = open.uses;
            if let Some((file, used)) = open.files.get_mut(&number) {
                *used = now;
                return Ok(file.clone());
            }
            // opened while nothing was replaced: it is the one that has the name
            if let Some((file, _)) = opened.take_if(|(_, replaced)| *replaced == open.replaced) {
                open.keep(number, &file, now);
                return Ok(file);
            }
            let replaced = open.replaced;
            // opening may take a while, and others read meanwhile
            drop(open);
            opened = Some((Arc::new((self.open_file)(&path).map_err(DiskError::at("opening", &path))?), replaced));
        }
    }

    /// Gives the draft of a file its name. Whoever has the file open goes on reading what it was.
    pub(crate) fn replace(&self, number: u32, draft: &Path) -> io::Result<()> {
        let mut open = lock(&self.open);
        std::fs::rename(draft, self.path(number))?;
        open.forget(number);
        Ok(())
    }

    /// Forgets a file that was replaced.
    pub(crate) fn forget(&self, number: u32) {
        lock(&self.open).forget(number);
    }
}

impl<F> fmt::Debug for FilePool<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePool").field("dir", &self.dir).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::car::index_name;
    use std::fs::File;

    #[test]
    fn keeps_a_bounded_number_of_files_open_and_reopens_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let pool = FilePool::new(dir.path().to_path_buf(), index_name, |path| File::open(path));
        for number in 1..=(MAX_OPEN as u32 + 20) {
            std::fs::write(pool.path(number), b"x").unwrap();
            pool.get(number).unwrap();
        }
        assert_eq!(lock(&pool.open).files.len(), MAX_OPEN);
        assert!(!lock(&pool.open).files.contains_key(&1));
        pool.get(1).unwrap();
        assert!(pool.get(1000).unwrap_err().to_string().contains("0000001000.index"));
    }

    #[test]
    fn who_has_a_file_open_reads_what_it_was_when_it_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let pool = FilePool::new(dir.path().to_path_buf(), index_name, |path| File::open(path));
        let draft = dir.path().join("draft");
        std::fs::write(pool.path(1), b"before").unwrap();
        std::fs::write(&draft, b"after").unwrap();
        let before = pool.get(1).unwrap();
        pool.replace(1, &draft).unwrap();
        let read = |file: &File| io::read_to_string(file).unwrap();
        assert_eq!((read(&before), read(&pool.get(1).unwrap())), ("before".to_owned(), "after".to_owned()));
    }
}
