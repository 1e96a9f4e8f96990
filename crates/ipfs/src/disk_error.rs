use std::{
    io,
    path::{Path, PathBuf},
};

/// The operating system refused to read or write a file or folder of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// No space (or quota) is left.
    #[error("{action} {path} failed because the disk is full; free some space, then open the store again", path = path.display())]
    Full {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as in "writing".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file system is mounted read-only.
    #[error(
        "{action} {path} failed because its file system is read-only; a store must be able to write: mount it writable or choose another data folder",
        path = path.display()
    )]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as in "writing".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The permissions of the file or folder forbid it to this user.
    #[error(
        "{action} {path} failed because this user has no permission; give the user that runs this program read and write access to the data folder",
        path = path.display()
    )]
    NoAccess {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as in "writing".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("{action} {path} failed: {source}", path = path.display())]
    Other {
        /// The file or folder.
        path: PathBuf,
        /// What was being done, as in "writing".
        action: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

impl DiskError {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> DiskError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                DiskError::Full { path, action, source }
            }
            io::ErrorKind::ReadOnlyFilesystem => DiskError::ReadOnly { path, action, source },
            io::ErrorKind::PermissionDenied => DiskError::NoAccess { path, action, source },
            _ => DiskError::Other { path, action, source },
        }
    }

    /// For `map_err`: names the file and what was being done with it.
    pub(crate) fn at<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> DiskError + 'a {
        move |source| DiskError::new(action, path, source)
    }

    /// The file or folder that could not be read or written.
    pub fn path(&self) -> &Path {
        match self {
            DiskError::Full { path, .. }
            | DiskError::ReadOnly { path, .. }
            | DiskError::NoAccess { path, .. }
            | DiskError::Other { path, .. } => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_decides_and_the_sentence_names_the_path_and_the_way_out() {
        let path = Path::new("/data/segments/0000000001.car");
        let full = DiskError::new("writing", path, io::ErrorKind::StorageFull.into());
        assert!(matches!(full, DiskError::Full { .. }));
        assert_eq!(
            full.to_string(),
            "writing /data/segments/0000000001.car failed because the disk is full; free some space, then open the store again"
        );
        let read_only = DiskError::new("writing", path, io::ErrorKind::ReadOnlyFilesystem.into());
        assert!(matches!(read_only, DiskError::ReadOnly { .. }));
        assert!(read_only.to_string().contains("choose another data folder"));
        let refused = DiskError::new("opening", path, io::ErrorKind::PermissionDenied.into());
        assert!(matches!(refused, DiskError::NoAccess { .. }));
        assert!(refused.to_string().contains("read and write access"));
        assert_eq!(refused.path(), path);
    }
}
