//! [`Inspection`]: what is in a data folder, without the application that wrote it.

mod ancestors;
mod inspected_daemon;
mod inspected_database;
mod inspection_fault;
mod inspector;
mod known_identity;
mod seen_entry;
#[cfg(test)]
mod tests;

use self::{ancestors::Ancestors, inspector::Inspector, known_identity::KnownIdentity, seen_entry::SeenEntry};
pub use self::{
    inspected_daemon::InspectedDaemon,
    inspected_database::{InspectedAuthor, InspectedDatabase},
    inspection_fault::InspectionFault,
};
use crate::journal_op::JournalOpError;
use debros_ipfs::{Damage, DiskError, FolderReader, FolderSizes, FolderState, Unfinished};
use std::path::{Path, PathBuf};

/// What is in a data folder that nobody has open. It needs neither the application's models nor its name: state, with
/// its index rows, is left alone, and nothing in the folder is changed but the text in `LOCK`.
///
/// Entries are not held in memory: of a database its heads are, and its writers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The folder.
    pub folder: PathBuf,
    /// Its databases, in the order in which they were opened first.
    pub databases: Vec<InspectedDatabase>,
    /// Daemons that blocks were shipped to.
    pub daemons: Vec<InspectedDaemon>,
    /// Segment files.
    pub segments: u64,
    /// Groups, which are atomic commits.
    pub groups: u64,
    /// Blocks of all kinds.
    pub blocks: u64,
    /// Bytes of these blocks.
    pub block_bytes: u64,
    /// Blocks of databases that were dropped, which were taken out of the segments.
    pub gone_blocks: u64,
    /// Identities, which are users on devices.
    pub identities: u64,
    /// What the files take.
    pub sizes: FolderSizes,
    /// How the derived tables stand.
    pub state: FolderState,
    /// The first broken places, at most [`Inspection::MAX_LISTED`].
    pub damage: Vec<Damage>,
    /// How many broken places there are.
    pub damaged: u64,
    /// What an interrupted write left at the end.
    pub unfinished: Option<Unfinished>,
    /// The first of what is wrong with entries and what they rest on, at most [`Inspection::MAX_LISTED`].
    pub faults: Vec<InspectionFault>,
    /// How much is wrong with them.
    pub faulty: u64,
    /// Whether every entry was judged anew.
    pub checked: bool,
}

/// Why a folder was not inspected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectionError {
    /// It is no data folder, is in use, or cannot be read.
    #[error(transparent)]
    Open(#[from] debros_ipfs::OpenError),
    /// Its files cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It holds operations that this version does not know.
    #[error(
        "the journal of {} holds an operation of kind {kind}, which this version does not know: use the version that wrote it",
        folder.display()
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The operation.
        kind: u64,
    },
}

impl Inspection {
    /// Most broken places, and most faults, that are listed.
    pub const MAX_LISTED: usize = 100;

    /// Reads a folder: every hash and the chain of its groups are checked, entries are counted.
    ///
    /// # Errors
    /// If it is no data folder, is in use, or cannot be read.
    pub fn of(folder: &Path) -> Result<Inspection, InspectionError> {
        Inspection::read(folder, false)
    }

    /// Reads a folder and judges every entry anew, as one of a peer: its form, the identity that it names and that
    /// one's signatures, its own signature, the right to write, whether what it follows was there before it, its clock.
    /// Signatures are checked on all cores. Takes 30 to 60 bytes of memory for
    /// each entry.
    ///
    /// # Errors
    /// As [`Inspection::of`].
    pub fn checked(folder: &Path) -> Result<Inspection, InspectionError> {
        Inspection::read(folder, true)
    }

    fn read(path: &Path, check: bool) -> Result<Inspection, InspectionError> {
        let folder = FolderReader::open(path)?;
        let mut inspection = Inspection {
            folder: path.to_path_buf(),
            databases: Vec::new(),
            daemons: Vec::new(),
            segments: folder.segment_count() as u64,
            groups: 0,
            blocks: 0,
            block_bytes: 0,
            gone_blocks: 0,
            identities: 0,
            sizes: folder.sizes()?,
            state: folder.state(),
            damage: Vec::new(),
            damaged: 0,
            unfinished: None,
            faults: Vec::new(),
            faulty: 0,
            checked: check,
        };
        let read = Inspector::new(&mut inspection).read(&folder);
        read.map_err(|JournalOpNewer(kind)| InspectionError::Newer { folder: path.to_path_buf(), kind })?;
        Ok(inspection)
    }

    /// Whether nothing is wrong. An interrupted write at the end is nothing wrong.
    pub fn is_clean(&self) -> bool {
        self.damaged == 0 && self.faulty == 0
    }

    /// Entries of all databases.
    pub fn entries(&self) -> u64 {
        self.databases.iter().map(|database| database.entries).sum()
    }

    /// Bytes of the entries of all databases.
    pub fn entry_bytes(&self) -> u64 {
        self.databases.iter().map(|database| database.bytes).sum()
    }

    fn add_damage(&mut self, damage: Damage) {
        self.damaged += 1;
        if self.damage.len() < Inspection::MAX_LISTED {
            self.damage.push(damage);
        }
    }

    fn add_fault(&mut self, fault: InspectionFault) {
        self.faulty += 1;
        if self.faults.len() < Inspection::MAX_LISTED {
            self.faults.push(fault);
        }
    }
}

/// An operation of this kind is not known.
struct JournalOpNewer(u64);

impl JournalOpNewer {
    /// Tells what is unknown from what is damaged.
    fn or_reason(error: JournalOpError) -> Result<String, JournalOpNewer> {
        match error {
            JournalOpError::Newer(kind) => Err(JournalOpNewer(kind)),
            damaged @ JournalOpError::Damaged(_) => Ok(damaged.to_string()),
        }
    }
}
