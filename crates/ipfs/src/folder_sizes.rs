use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::DiskError;

/// How much room the files of a data folder take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderSizes {
    /// Bytes of the segment files: the blocks and the journal.
    pub segments: u64,
    /// Bytes of the index files of full segments.
    pub indexes: u64,
    /// Bytes of the state file.
    pub state: u64,
    /// What was set aside when a power cut had left records that could not be used.
    pub set_aside: Vec<PathBuf>,
}

impl FolderSizes {
    pub(crate) fn of(folder: &Path) -> Result<FolderSizes, DiskError> {
        let mut sizes = FolderSizes::default();
        let state = folder.join("state.redb");
        sizes.state = match fs::metadata(&state) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(DiskError::new("reading", &state, error)),
        };
        let dir = folder.join("segments");
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(sizes),
            Err(error) => return Err(DiskError::new("reading", &dir, error)),
        };
        for entry in entries {
            let path = entry.map_err(DiskError::at("reading", &dir))?.path();
            let len = fs::metadata(&path).map_err(DiskError::at("reading", &path))?.len();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("car") => sizes.segments += len,
                Some("index") => sizes.indexes += len,
                Some(torn) if torn.starts_with("torn-") => sizes.set_aside.push(path),
                _ => {}
            }
        }
        sizes.set_aside.sort_unstable();
        Ok(sizes)
    }
}
