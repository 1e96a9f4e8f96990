use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{DiskError, OpenError, step::Step};

/// Longest lock file that is read: pid and program need far less.
const MAX_LOCK_FILE: u64 = 4096;

/// Who holds a data folder, as its lock file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process number.
    pub pid: u32,
    /// Path of the program, as it was started.
    pub program: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == std::process::id() {
            write!(f, "this process itself ({})", self.program)
        } else {
            write!(f, "process {} ({})", self.pid, self.program)
        }
    }
}

/// The lock of a data folder: an OS lock on the file `LOCK`, held until this is dropped or the process ends, however
/// it ends. The file stays behind and blocks nobody.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
    path: PathBuf,
    program: String,
    same_boot: bool,
}

impl FolderLock {
    pub(crate) fn acquire(dir: &Path) -> Result<FolderLock, OpenError> {
        let path = dir.join("LOCK");
        let file = open_lock_file(&path).map_err(DiskError::at("opening", &path))?;
        let (lock, last_boot) = FolderLock::of(file, dir, path)?;
        // The run of the machine is noted by `recovered`: until then the files are as the last holder left them.
        lock.write(&last_boot)?;
        Ok(lock)
    }

    /// Locks a folder in which nothing is going to be changed. Where not even the lock file can be written, as on a
    /// medium that is read-only, it is locked as it is; its text then names somebody else.
    pub(crate) fn acquire_to_read(dir: &Path) -> Result<FolderLock, OpenError> {
        let path = dir.join("LOCK");
        match open_lock_file(&path) {
            Ok(file) => {
                let (lock, last_boot) = FolderLock::of(file, dir, path)?;
                lock.write(&last_boot)?;
                Ok(lock)
            }
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                let file = File::open(&path).map_err(|_| DiskError::new("opening", &path, error))?;
                Ok(FolderLock::of(file, dir, path)?.0)
            }
            Err(error) => Err(DiskError::new("opening", &path, error).into()),
        }
    }

    /// Locks the file, and gives the run of the machine that stands in it.
    fn of(mut file: File, dir: &Path, path: PathBuf) -> Result<(FolderLock, String), OpenError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { path: dir.to_path_buf(), holder: read_holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(DiskError::new("locking", &path, source).into()),
        }
        let last_boot = read_lines(&mut file).map_or_else(|| NO_BOOT.to_owned(), |(_, boot, _)| boot);
        let same_boot = boot_id().is_some_and(|boot| boot == last_boot);
        let program =
            std::env::current_exe().map_or_else(|_| "unknown program".to_owned(), |p| p.display().to_string());
        Ok((FolderLock { file, path, program, same_boot }, last_boot))
    }

    /// Whether the machine is known not to have gone down since the folder was last written to: then nothing that was
    /// written can be missing from its files, synced or not.
    pub(crate) fn same_boot(&self) -> bool {
        self.same_boot
    }

    /// Notes that whatever the last holder left has been dealt with.
    pub(crate) fn recovered(&self) -> Result<(), DiskError> {
        self.write(&boot_id().unwrap_or_else(|| NO_BOOT.to_owned()))
    }

    fn write(&self, boot: &str) -> Result<(), DiskError> {
        let mut file = &self.file;
        let text = format!("{}\n{boot}\n{}\n", std::process::id(), self.program);
        let write = || {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(text.as_bytes())
        };
        Step::LockWrite.run(write).map_err(DiskError::at("writing", &self.path))
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started at this moment holds a copy of it.
        let _ = self.file.unlock();
    }
}

fn open_lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Stands in the lock file where the run of the machine is not known.
const NO_BOOT: &str = "-";

/// Names this run of the machine, where the system does.
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let (pid, _, program) = read_lines(file)?;
    Some(Holder { pid, program })
}

/// Process, run of the machine and program.
fn read_lines(file: &mut File) -> Option<(u32, String, String)> {
    let mut bytes = Vec::new();
    file.take(MAX_LOCK_FILE).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (pid, rest) = text.split_once('\n')?;
    let (boot, program) = rest.split_once('\n')?;
    Some((pid.parse().ok()?, boot.to_owned(), program.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_folder_and_the_lock_ends_with_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(dir.path()).unwrap();
        let error = FolderLock::acquire(dir.path()).unwrap_err();
        let text = error.to_string();
        let OpenError::Locked { path, holder: Some(holder) } = error else { panic!("{text}") };
        assert_eq!(path, dir.path());
        assert_eq!(holder.pid, std::process::id());
        assert!(text.contains("this process itself") && text.contains(&dir.path().display().to_string()), "{text}");
        assert!(!first.same_boot());
        drop(first);
        let second = FolderLock::acquire(dir.path()).unwrap();
        assert!(!second.same_boot(), "the first had not dealt with what it found");
        second.recovered().unwrap();
        drop(second);
        let third = FolderLock::acquire(dir.path()).unwrap();
        assert_eq!(third.same_boot(), boot_id().is_some());
    }

    #[test]
    fn a_reader_holds_the_folder_and_leaves_the_run_of_the_machine_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let first = FolderLock::acquire(dir.path()).unwrap();
        assert!(matches!(FolderLock::acquire_to_read(dir.path()), Err(OpenError::Locked { .. })));
        first.recovered().unwrap();
        drop(first);
        let reader = FolderLock::acquire_to_read(dir.path()).unwrap();
        assert!(matches!(FolderLock::acquire(dir.path()), Err(OpenError::Locked { .. })));
        drop(reader);
        assert_eq!(FolderLock::acquire(dir.path()).unwrap().same_boot(), boot_id().is_some());
    }

    #[test]
    fn a_lock_file_that_nobody_holds_does_not_block_whatever_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("LOCK"), [0xff; 10_000]).unwrap();
        FolderLock::acquire(dir.path()).unwrap();
        let text = std::fs::read_to_string(dir.path().join("LOCK")).unwrap();
        assert!(text.starts_with(&format!("{}\n", std::process::id())), "{text}");
    }
}
