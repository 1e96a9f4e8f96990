use crate::{Hash, IdentityBlock};

/// An identity that the journal has named.
#[derive(Debug)]
pub(super) struct KnownIdentity {
    /// Counts the identities.
    pub(super) number: u32,
    pub(super) hash: Hash,
    pub(super) block: IdentityBlock,
    /// The user as text.
    pub(super) user: String,
    /// Only operations behind this one know it.
    pub(super) since: u64,
}
