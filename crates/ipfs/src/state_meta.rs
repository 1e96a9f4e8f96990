use crate::journal_end::JournalEnd;

/// Format number of the state file. A file of another format is built anew from the segments.
pub(crate) const STATE_FORMAT: u32 = 1;

/// What the state file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateMeta {
    pub(crate) format: u32,
    /// [`Apply::fingerprint`](crate::Apply::fingerprint) of the rules that the rows were made with.
    pub(crate) fingerprint: Vec<u8>,
    /// The groups before this place are in the rows.
    pub(crate) end: JournalEnd,
}

impl StateMeta {
    pub(crate) fn new(fingerprint: Vec<u8>, end: JournalEnd) -> StateMeta {
        StateMeta { format: STATE_FORMAT, fingerprint, end }
    }
}
