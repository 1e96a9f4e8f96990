use bytes::Bytes;
use cid::Cid;

use crate::{Position, StoreError, Table};

/// A row of state: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows of a scan, in the order of their keys.
pub type Rows<'s> = Box<dyn Iterator<Item = Result<Row, StoreError>> + 's>;

/// Reading state and blocks: of a [`Snapshot`](crate::Snapshot), or of a [`Group`](crate::Group), which also sees what
/// its own job has done so far.
pub trait ReadState {
    /// The value of a key, if there is one.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The rows with `start <= key < end` (without `end`: to the last row), ascending, or descending when `reverse`.
    /// Lazy: a row is read when the iterator is asked for it. After an error the iterator ends.
    fn scan<'s>(&'s self, table: Table, start: &[u8], end: Option<&[u8]>, reverse: bool) -> Rows<'s>;

    /// The content of the block at a position that this store gave out, checked against the hash of its CID, which
    /// lies beside it. Includes blocks of this job and of groups that are still under commit.
    fn block_at(&self, position: Position) -> Result<Bytes, StoreError>;

    /// The block with this CID, and where it lies; the newest copy if there are several. The content is checked
    /// against the CID. Blocks are found by multihash, so the codec of the CID does not matter.
    fn block(&self, cid: &Cid) -> Result<Option<(Position, Bytes)>, StoreError>;
}
