use debros_ipfs::KuboError;
use debros_orbit::InspectionError;
use std::{fmt, io};

/// Why a command could not look.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The data folder.
    Inspection(InspectionError),
    /// The address of a daemon.
    Kubo(KuboError),
    /// No runtime for the connection.
    Runtime(io::Error),
    /// Its own output cannot be written.
    Output(io::Error),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Inspection(error) => error.fmt(f),
            CommandError::Kubo(error) => error.fmt(f),
            CommandError::Runtime(error) => write!(f, "no connection can be made: {error}"),
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
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> CommandError {
        CommandError::Output(error)
    }
}
