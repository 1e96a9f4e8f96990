use crate::{ApplyError, Group};

/// Turns journaled operations into rows of derived state. The store calls it when an operation is journaled, and
/// again, with the same operations and blocks in the same order, whenever state is replayed or rebuilt.
pub trait Apply: Send + Sync + 'static {
    /// Names the rules by which state follows from operations. State is rebuilt from the segments when it differs
    /// from the fingerprint that the stored state was made with.
    fn fingerprint(&self) -> Vec<u8>;

    /// Applies one operation with [`Group::put`] and [`Group::delete`]. Must be deterministic in the operation, the
    /// state, and the blocks that were added to the group before it. After an error the whole job is dropped.
    fn apply(&self, op: &[u8], group: &mut Group<'_>) -> Result<(), ApplyError>;
}
