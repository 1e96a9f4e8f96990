//! What fuzzing reaches that is not public otherwise.

use crate::journal_op::JournalOp;

/// What would be written for the operation of a journal that these bytes are; `None` if they are none.
pub fn journal_op(bytes: &[u8]) -> Option<Vec<u8>> {
    JournalOp::from_bytes(bytes).ok().map(|op| op.to_bytes())
}

/// What would be said for the message of a peer that these bytes are, without its length; `None` if they are none.
#[cfg(feature = "network")]
pub fn peer_message(bytes: &[u8]) -> Option<Vec<u8>> {
    crate::replication::repeat_message(bytes)
}
