use crate::{Hash, IdentityError, JoinError};
use debros_ipfs::{Place, Position};

/// Something in a data folder that nobody should have put there: the bytes are those that were written, but what was
/// written is not right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectionFault {
    /// An entry that does not belong into the log in which it is.
    #[error("entry {entry} of the database `{database}` ({position}): {reason}")]
    Entry {
        /// The database's name.
        database: String,
        /// The entry.
        entry: Hash,
        /// Where it lies.
        position: Position,
        /// What is wrong with it.
        reason: Box<JoinError>,
    },
    /// An entry of a database that is not there.
    #[error("entry {entry} ({position}) is in the log of database {database}, which was never opened before it")]
    NoDatabase {
        /// The number of the database.
        database: u32,
        /// The entry.
        entry: Hash,
        /// Where it lies.
        position: Position,
    },
    /// An entry that was accepted twice.
    #[error("entry {entry} of the database `{database}` ({position}) is in the log twice")]
    Twice {
        /// The database's name.
        database: String,
        /// The entry.
        entry: Hash,
        /// Where it lies the second time.
        position: Position,
    },
    /// An identity that is none.
    #[error("identity {identity} ({position}): {reason}")]
    Identity {
        /// The identity's block.
        identity: Hash,
        /// Where it lies.
        position: Position,
        /// What is wrong with it.
        reason: IdentityError,
    },
    /// A database that is not what its address says, or that lacks a block.
    #[error("the database `{database}`: {reason}")]
    Database {
        /// Its name.
        database: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An operation of the journal that makes no sense.
    #[error("an operation of the group that ends at {place}: {reason}")]
    Operation {
        /// Behind the group.
        place: Place,
        /// What is wrong with it.
        reason: String,
    },
}
