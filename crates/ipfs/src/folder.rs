use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    Damage, DiskError, OpenError, car::segment_number, file_at::sync_folder, lock::FolderLock, step::Step,
    store_mark::StoreMark,
};

/// Format number of data folders that this version writes, and the newest that it reads.
pub(crate) const FORMAT: u32 = 1;
/// Longest format file that is read.
const MAX_FORMAT_FILE: u64 = 1024;

/// A data folder that this process holds.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    mark: StoreMark,
    lock: FolderLock,
}

impl Folder {
    /// Locks the folder, checks its format, and makes it a data folder if it is none yet.
    pub(crate) fn open(path: &Path) -> Result<Folder, OpenError> {
        fs::create_dir_all(path).map_err(DiskError::at("creating", path))?;
        // Asked first, because the files of a newer format may mean something else.
        let known = read_format(path)?;
        let lock = FolderLock::acquire(path)?;
        let segments = path.join("segments");
        let mark = match known.map_or_else(|| read_format(path), |mark| Ok(Some(mark)))? {
            Some(mark) => mark,
            None if has_files(&segments)? => return Err(OpenError::NoFormat { file: path.join("format") }),
            None => write_format(path)?,
        };
        fs::create_dir_all(&segments).map_err(DiskError::at("creating", &segments))?;
        Step::FolderSync.run(|| sync_folder(path)).map_err(DiskError::at("syncing", path))?;
        let folder = Folder { path: path.to_path_buf(), mark, lock };
        folder.clear_temporary()?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn mark(&self) -> StoreMark {
        self.mark
    }

    pub(crate) fn same_boot(&self) -> bool {
        self.lock.same_boot()
    }

    /// Notes that what the last holder left has been dealt with, and gives the lock to hold on.
    pub(crate) fn recovered(self) -> Result<FolderLock, DiskError> {
        self.lock.recovered()?;
        Ok(self.lock)
    }

    pub(crate) fn state_path(&self) -> PathBuf {
        self.path.join("state.redb")
    }

    /// Numbers of the segment files, which must be 1, 2, 3 and so on.
    pub(crate) fn segment_numbers(&self) -> Result<Vec<u32>, OpenError> {
        let dir = self.path.join("segments");
        let numbers = segment_numbers(&dir)?;
        match (1..).zip(&numbers).find(|(expected, found)| expected != *found) {
            Some((missing, _)) => Err(OpenError::Damaged(Damage {
                file: dir.join(crate::car::segment_name(missing)),
                offset: 0,
                what: "the file is missing".to_owned(),
            })),
            None => Ok(numbers),
        }
    }

    /// What an interrupted `verify` left.
    fn clear_temporary(&self) -> Result<(), DiskError> {
        let dir = temporary_dir(&self.path);
        match Step::TemporaryClear.run(|| fs::remove_dir_all(&dir)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DiskError::new("removing", &dir, error)),
            _ => Ok(()),
        }
    }
}

/// The mark of a folder that must be a data folder already.
pub(crate) fn mark_of(folder: &Path) -> Result<StoreMark, OpenError> {
    // a path that does not exist, or is a file, is told as such
    fs::read_dir(folder).map_err(DiskError::at("reading", folder))?;
    read_format(folder)?.ok_or_else(|| OpenError::NoFormat { file: folder.join("format") })
}

/// Numbers of the segment files in a folder, in order.
pub(crate) fn segment_numbers(dir: &Path) -> Result<Vec<u32>, DiskError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(DiskError::at("reading", dir))? {
        let entry = entry.map_err(DiskError::at("reading", dir))?;
        numbers.extend(entry.file_name().to_str().and_then(segment_number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Where files live that only one call needs.
pub(crate) fn temporary_dir(folder: &Path) -> PathBuf {
    folder.join("tmp")
}

/// The mark in the format file: `None` when there is no file.
fn read_format(folder: &Path) -> Result<Option<StoreMark>, OpenError> {
    let path = folder.join("format");
    let mut text = String::new();
    let read = File::open(&path)
        .and_then(|file| io::Read::read_to_string(&mut io::Read::take(file, MAX_FORMAT_FILE), &mut text));
    match read {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(OpenError::NoFormat { file: path }),
        Err(error) => return Err(DiskError::new("reading", &path, error).into()),
    }
    let mut lines = text.lines();
    let found = lines.next().and_then(|line| line.parse::<u32>().ok());
    match found {
        Some(found) if found > FORMAT => {
            Err(OpenError::NewerFormat { path: folder.to_path_buf(), found, supported: FORMAT })
        }
        Some(FORMAT) => match lines.next().and_then(StoreMark::from_hex) {
            Some(mark) => Ok(Some(mark)),
            None => Err(OpenError::NoFormat { file: path }),
        },
        _ => Err(OpenError::NoFormat { file: path }),
    }
}

fn write_format(folder: &Path) -> Result<StoreMark, DiskError> {
    let path = folder.join("format");
    let temporary = folder.join("format.new");
    let write = || {
        let mark = StoreMark::random()?;
        Step::FormatWrite.run(|| {
            let mut file = File::create(&temporary)?;
            file.write_all(format!("{FORMAT}\n{}\n", mark.to_hex()).as_bytes())?;
            file.sync_all()
        })?;
        Step::FormatRename.run(|| fs::rename(&temporary, &path))?;
        sync_folder(folder)?;
        Ok(mark)
    };
    write().map_err(DiskError::at("writing", &path))
}

fn has_files(dir: &Path) -> Result<bool, DiskError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(DiskError::new("reading", dir, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_mark() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/folder");
        let mark = Folder::open(&path).unwrap().mark();
        assert_eq!(Folder::open(&path).unwrap().mark(), mark);
    }

    #[test]
    fn a_newer_format_is_named_and_nothing_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("format"), "2\nwhatever\n").unwrap();
        let error = Folder::open(dir.path()).unwrap_err();
        assert!(matches!(error, OpenError::NewerFormat { found: 2, supported: 1, .. }));
        assert!(error.to_string().contains("update the program"), "{error}");
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["format"]);
    }

    #[test]
    fn a_format_file_that_is_none_or_lost_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "0\n", "1\n", "1\n1234\n", "one\n"] {
            fs::write(dir.path().join("format"), text).unwrap();
            assert!(matches!(Folder::open(dir.path()).unwrap_err(), OpenError::NoFormat { .. }), "{text:?}");
        }
        fs::write(dir.path().join("format"), [0xff, 0xfe]).unwrap();
        assert!(matches!(Folder::open(dir.path()).unwrap_err(), OpenError::NoFormat { .. }));
        fs::remove_file(dir.path().join("format")).unwrap();
        fs::create_dir(dir.path().join("segments")).unwrap();
        fs::write(dir.path().join("segments/0000000001.car"), "x").unwrap();
        assert!(matches!(Folder::open(dir.path()).unwrap_err(), OpenError::NoFormat { .. }));
    }

    #[test]
    fn a_missing_segment_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        fs::write(dir.path().join("segments/0000000001.car"), "x").unwrap();
        fs::write(dir.path().join("segments/0000000003.car"), "x").unwrap();
        fs::write(dir.path().join("segments/0000000001.index"), "x").unwrap();
        let OpenError::Damaged(damage) = folder.segment_numbers().unwrap_err() else { panic!() };
        assert!(damage.file.ends_with("segments/0000000002.car"));
    }

    #[test]
    fn a_path_that_is_no_folder_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "x").unwrap();
        let error = Folder::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Disk(_)));
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
