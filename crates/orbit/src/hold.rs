//! [`Hold`]: why an entry is held back.

use crate::{EncryptionError, EntryError, Hash, JoinError, LimitError, LogError};
use std::fmt;

/// Why an entry that was received is held back: kept beside the log, not in it.
///
/// Everything but [`Hold::Refused`] can change, and then the entry is judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// It follows, or refers to, entries that are not here yet.
    Missing,
    /// The identity that it names is not known here yet.
    Identity(Hash),
    /// Its user may not write the database. A grant would change that.
    Denied {
        /// The user's id.
        user: String,
    },
    /// Its user's right was revoked. The entry counts if it was in the log then, which the entries that the revocation
    /// names will tell once they are here.
    Revoked {
        /// The user's id.
        user: String,
    },
    /// It is encrypted, and the key is not at hand.
    Sealed,
    /// It is none that should have been made, and never joins.
    Refused {
        /// What is wrong with it.
        reason: String,
    },
}

/// So many bytes of a reason are kept.
const MAX_REASON: usize = 512;

impl Hold {
    /// What an error of joining means for an entry that could be kept; `None` where nothing can be said of the entry.
    pub(crate) fn of(error: &JoinError) -> Option<Hold> {
        Some(match error {
            JoinError::Log(LogError::Missing(_)) => Hold::Missing,
            // another key may be the one
            JoinError::Entry(EntryError::Encryption(
                EncryptionError::NoReplicationKey | EncryptionError::Replication(_),
            )) => Hold::Sealed,
            JoinError::UnknownIdentity(identity) => Hold::Identity(*identity),
            JoinError::Denied { user, .. } => Hold::Denied { user: user.clone() },
            JoinError::Revoked { user, .. } => Hold::Revoked { user: user.clone() },
            JoinError::Log(LogError::OtherLog { .. })
            | JoinError::Limit(
                LimitError::Heads { .. }
                | LimitError::EntryBytes { .. }
                | LimitError::EventBytes { .. }
                | LimitError::Entries { .. },
            )
            | JoinError::Entry(
                EntryError::TooLargeToAccept(_) | EntryError::Encryption(EncryptionError::TooLargeToAccept(_)),
            )
            | JoinError::Dropped { .. }
            | JoinError::Read(_)
            | JoinError::Apply(_) => return None,
            refused => Hold::refused(refused),
        })
    }

    pub(crate) fn refused(reason: impl fmt::Display) -> Hold {
        let mut reason = reason.to_string();
        if reason.len() > MAX_REASON {
            let end = (0..=MAX_REASON).rev().find(|&end| reason.is_char_boundary(end)).unwrap_or(0);
            reason.truncate(end);
        }
        Hold::Refused { reason }
    }

    /// May what builds on the entry join, once what the entry itself builds on is here? Not where it may yet join.
    pub(crate) fn is_stepped_over(&self) -> bool {
        matches!(self, Hold::Denied { .. } | Hold::Revoked { .. } | Hold::Refused { .. })
    }

    /// Is there something that the entry waits for, and that peers may have?
    #[cfg(feature = "network")]
    pub(crate) fn lacks(&self) -> bool {
        matches!(self, Hold::Missing | Hold::Identity(_))
    }

    /// Entries that nothing needs are bounded by these, so that those of one kind do not take the place of another's.
    pub(crate) const POOLS: usize = 4;

    /// To which of them it belongs.
    pub(crate) fn pool(&self) -> usize {
        match self {
            Hold::Missing | Hold::Identity(_) => 0,
            Hold::Denied { .. } | Hold::Revoked { .. } => 1,
            Hold::Sealed => 2,
            Hold::Refused { .. } => 3,
        }
    }

    /// The user whose right is wanting.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Hold::Denied { user } | Hold::Revoked { user } => Some(user),
            _ => None,
        }
    }

    /// Does a change of rights matter to it?
    pub(crate) fn is_about_rights(&self) -> bool {
        matches!(self, Hold::Denied { .. } | Hold::Revoked { .. })
    }

    /// The number of the kind, and what belongs to it.
    pub(crate) fn to_parts(&self) -> (u8, &[u8]) {
        match self {
            Hold::Missing => (0, &[]),
            Hold::Identity(hash) => (1, hash.digest()),
            Hold::Denied { user } => (2, user.as_bytes()),
            Hold::Revoked { user } => (3, user.as_bytes()),
            Hold::Sealed => (4, &[]),
            Hold::Refused { reason } => (5, reason.as_bytes()),
        }
    }

    pub(crate) fn from_parts(kind: u8, more: &[u8]) -> Option<Hold> {
        let text = || String::from_utf8(more.to_vec()).ok();
        Some(match kind {
            0 => Hold::Missing,
            1 => Hold::Identity(Hash::from_digest(more.try_into().ok()?)),
            2 => Hold::Denied { user: text()? },
            3 => Hold::Revoked { user: text()? },
            4 => Hold::Sealed,
            5 => Hold::Refused { reason: text()? },
            _ => return None,
        })
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hold::Missing => f.write_str("it follows entries that are not here yet"),
            Hold::Identity(hash) => write!(f, "the identity {hash} that it names is not here yet"),
            Hold::Denied { user } => write!(f, "the user {user} may not write the database"),
            Hold::Revoked { user } => {
                write!(f, "the right of the user {user} was revoked, and what was in the log then is not all here yet")
            }
            Hold::Sealed => f.write_str("it is encrypted, and the key is not here"),
            Hold::Refused { reason } => f.write_str(reason),
        }
    }
}
