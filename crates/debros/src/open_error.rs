//! [`OpenError`]: why a database was not opened.

use crate::ModelError;
use debros_shard::ApplicationError;
use std::path::PathBuf;

/// Why a database was not opened. Nothing in its folder was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The network.
    #[cfg(feature = "network")]
    #[error("the database cannot take part in the network: {0}")]
    Network(Box<crate::NetworkError>),
    /// The application's name.
    #[error(transparent)]
    Application(#[from] ApplicationError),
    /// The list of models.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// Another process has the folder open, or this one has already.
    #[error(
        "the data folder {path} is in use by {}; close it there, or choose another folder",
        holder.as_deref().unwrap_or("another process"),
        path = path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who has it, if they said so: the program and its process number.
        holder: Option<String>,
    },
    /// The folder was written by a newer version.
    #[error(
        "the data folder {path} has format {found}, and this version reads formats up to {supported}; update the program that opens it",
        path = path.display()
    )]
    NewerFormat {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that this version reads.
        supported: u32,
    },
    /// Bytes that are needed are broken.
    #[error("the data folder is damaged: {file}, byte {offset}: {what}; nothing was changed, restore this file from a backup", file = file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it, in bytes.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The folder cannot be written: a read-only file system, missing permissions.
    #[error("{source}")]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        source: debros_ipfs::DiskError,
    },
    /// The disk is full.
    #[error("{source}")]
    Full {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        source: debros_ipfs::DiskError,
    },
    /// The private keys.
    #[error(transparent)]
    Keys(#[from] debros_orbit::KeystoreError),
    /// The Kubo daemon cannot be used.
    #[cfg(feature = "kubo")]
    #[error(transparent)]
    Kubo(#[from] debros_orbit::ShippingError),
    /// The database is to be replicated through a Kubo daemon, and none is named.
    #[cfg(feature = "kubo")]
    #[error("`.kubo_peers(true)` needs a Kubo daemon: name one by `.kubo(\"http://127.0.0.1:5001\")`")]
    NoKubo,
    /// What is to be replicated through the Kubo daemon cannot be opened here.
    #[cfg(feature = "kubo")]
    #[error("the database cannot be replicated through the Kubo daemon: {0}")]
    KuboPeers(Box<crate::KuboReadError>),
    /// Anything else that the local store says.
    #[error(transparent)]
    Store(debros_ipfs::OpenError),
    /// Anything else.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl From<debros_orbit::OpenError> for OpenError {
    fn from(error: debros_orbit::OpenError) -> OpenError {
        use debros_ipfs::{DiskError, OpenError as Store};
        let store = match error {
            debros_orbit::OpenError::Keystore(error) => return OpenError::Keys(error),
            debros_orbit::OpenError::Store(store) => store,
            other => return OpenError::Other(Box::new(other)),
        };
        match store {
            Store::Locked { path, holder } => {
                OpenError::Locked { path, holder: holder.map(|holder| holder.to_string()) }
            }
            Store::NewerFormat { path, found, supported } => OpenError::NewerFormat { path, found, supported },
            Store::Damaged(damage) => {
                OpenError::Damaged { file: damage.file, offset: damage.offset, what: damage.what }
            }
            Store::Disk(source @ (DiskError::ReadOnly { .. } | DiskError::NoAccess { .. })) => {
                OpenError::ReadOnly { path: source.path().to_owned(), source }
            }
            Store::Disk(source @ DiskError::Full { .. }) => OpenError::Full { path: source.path().to_owned(), source },
            other => OpenError::Store(other),
        }
    }
}

#[cfg(feature = "network")]
impl From<crate::NetworkError> for OpenError {
    fn from(error: crate::NetworkError) -> OpenError {
        OpenError::Network(Box::new(error))
    }
}
