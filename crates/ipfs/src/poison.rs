use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::StoreError;

/// A write or sync failed, so nobody can know what the disk holds of it: the store takes no more writes until it is
/// opened again. Reading goes on. Cheap to clone: everybody who writes is told the same cause.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the store in {path} takes no more writes because an earlier one failed ({cause}); remove the cause, then close the store and open it again",
    path = path.display()
)]
pub struct Poison {
    path: PathBuf,
    cause: Arc<StoreError>,
}

impl Poison {
    pub(crate) fn new(path: &Path, cause: StoreError) -> Poison {
        Poison { path: path.to_path_buf(), cause: Arc::new(cause) }
    }

    /// The data folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The failure that ended writing.
    pub fn cause(&self) -> &StoreError {
        &self.cause
    }
}
