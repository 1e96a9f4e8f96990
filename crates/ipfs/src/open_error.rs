use std::path::PathBuf;

use crate::{Damage, DiskError, Holder, StoreError};

/// Why a data folder could not be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody else, or this process itself, has the folder open.
    #[error(
        "the data folder {path} is in use by {holder}; close it there, or choose another data folder",
        path = path.display(),
        holder = holder.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string)
    )]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// Who holds it, as far as its lock file tells.
        holder: Option<Holder>,
    },
    /// The folder was written by a newer version of this software.
    #[error(
        "the data folder {path} has format {found}, and this version reads formats up to {supported}; update the program that opens it",
        path = path.display()
    )]
    NewerFormat {
        /// The data folder.
        path: PathBuf,
        /// Its format number.
        found: u32,
        /// The newest format number that this version knows.
        supported: u32,
    },
    /// The folder has segments, but its `format` file is missing or not a number.
    #[error(
        "{file} is missing or not the format file of a data folder; restore it from a backup, or choose another folder",
        file = file.display()
    )]
    NoFormat {
        /// The `format` file.
        file: PathBuf,
    },
    /// Bytes that were durable are broken, and they are needed to build the state. Nothing was cut.
    #[error("the data folder is damaged at {0}; nothing was changed, restore this file from a backup")]
    Damaged(Damage),
    /// The operating system refused.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The state could not be read, replayed or rebuilt.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> OpenError {
        match error {
            StoreError::Damaged(damage) => OpenError::Damaged(damage),
            StoreError::Disk(error) => OpenError::Disk(error),
            other => OpenError::Store(other),
        }
    }
}
