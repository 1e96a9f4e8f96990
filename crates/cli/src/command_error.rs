use debros_ipfs::KuboError;
use debros_orbit::{InspectionError, KeyError, KeyFileError, RendezvousError};
use std::{fmt, io, path::PathBuf};

/// Why a command could not look.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The data folder.
    Inspection(InspectionError),
    /// The address of a daemon.
    Kubo(KuboError),
    /// No runtime for the connection.
    Runtime(io::Error),
    /// A file that is read or made.
    File {
        /// Which.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A key that signs.
    Key {
        /// Its file.
        file: PathBuf,
        /// What is wrong with it.
        source: KeyFileError,
    },
    /// No new key.
    NewKey(KeyError),
    /// A list of peers.
    Rendezvous(RendezvousError),
    /// Its own output cannot be written.
    Output(io::Error),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Inspection(error) => error.fmt(f),
            CommandError::Kubo(error) => error.fmt(f),
            CommandError::Runtime(error) => write!(f, "no connection can be made: {error}"),
            CommandError::File { file, source } => write!(f, "{}: {source}", file.display()),
            CommandError::Key { file, source } => write!(f, "{}: {source}", file.display()),
            CommandError::NewKey(error) => error.fmt(f),
            CommandError::Rendezvous(error) => error.fmt(f),
            CommandError::Output(error) => write!(f, "the output cannot be written: {error}"),
        }
    }
}

impl std::error::Error for CommandError {}

impl From<InspectionError> for CommandError {
    fn from(error: InspectionError) -> CommandError {
        CommandError::Inspection(error)
    }
}
impl From<KuboError> for CommandError {
    fn from(error: KuboError) -> CommandError {
        CommandError::Kubo(error)
    }
}
impl From<RendezvousError> for CommandError {
    fn from(error: RendezvousError) -> CommandError {
        CommandError::Rendezvous(error)
    }
}
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        CommandError::Output(error)
    }
}
