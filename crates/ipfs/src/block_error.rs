use cid::Cid;

/// Why a block cannot enter the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The content does not hash to the CID.
    #[error("the block's content does not match its CID {cid}; hash the bytes that are stored")]
    Mismatch {
        /// The CID given.
        cid: Box<Cid>,
    },
    /// The hash function of the CID is none that the store can check.
    #[error("the CID {cid} uses hash function {code:#x}; the store takes sha2-256 (0x12) and identity (0x0)")]
    UnknownHash {
        /// The CID given.
        cid: Box<Cid>,
        /// Multihash code of the function.
        code: u64,
    },
    /// The block is longer than [`MAX_BLOCK`](crate::MAX_BLOCK).
    #[error("the block {cid} has {len} bytes, more than the {max} that a block may have; split it", max = crate::MAX_BLOCK)]
    TooLarge {
        /// The CID given.
        cid: Box<Cid>,
        /// Length of the content in bytes.
        len: usize,
    },
    /// The block begins like a journal record of this very store, which nobody outside of it can make.
    #[error(
        "the block {cid} begins like a journal record of this store; such blocks are reserved and cannot be stored"
    )]
    Reserved {
        /// The CID given.
        cid: Box<Cid>,
    },
}
