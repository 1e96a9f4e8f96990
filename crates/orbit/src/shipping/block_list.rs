use super::Shipment;
use crate::{DatabaseInfo, Hash};
use debros_ipfs::{Bytes, CarWriter, Cid};
use serde::{Deserialize, Serialize};

/// A list of blocks of one database, so that one pin of its root holds them all: entries name each other in text, and a
/// pin of an entry holds that entry alone. Lists of more than [`BlockList::MAX_LINKS`] are trees.
///
/// It is a DAG-CBOR block itself: `{blocks, by, database, depth, links}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockList {
    /// How many blocks are in it, without the lists; copies count.
    pub blocks: u64,
    /// The data folder that made it, in hexadecimal. Each has lists of its own, so that none removes another's pins.
    pub by: String,
    /// The manifest of the database.
    pub database: Cid,
    /// 0: the links are blocks, by their CIDs of codec raw: a block may hold links itself, and those are not meant. Else they are lists,
    /// of smaller depth.
    pub depth: u8,
    /// What is in it, in the order in which it came into the log.
    pub links: Vec<Cid>,
}

/// Why a block is no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the block {hash} is no list of blocks: {reason}")]
pub struct BlockListError {
    /// The block.
    pub hash: Hash,
    /// What is wrong with it.
    pub reason: String,
}

impl BlockList {
    /// Most links of a list.
    pub const MAX_LINKS: usize = 1_000;
    /// Most levels of lists below a root.
    pub const MAX_DEPTH: u8 = 24;
    /// Most bytes of a list.
    pub(crate) const MAX_BYTES: usize = 128 << 10;

    /// The lists over these blocks, the root last, and its depth.
    pub(crate) fn tree(by: &str, database: Cid, blocks: &[Cid]) -> (Vec<(Hash, Vec<u8>)>, u8) {
        let mut lists = Vec::new();
        let mut level: Vec<(Cid, u64)> = blocks.iter().map(|cid| (*cid, 1)).collect();
        let mut depth = 0;
        loop {
            let chunks: Vec<_> = level.chunks(BlockList::MAX_LINKS).collect();
            let mut roots = Vec::with_capacity(chunks.len());
            for chunk in chunks {
                let list = BlockList {
                    blocks: chunk.iter().map(|(_, blocks)| blocks).sum(),
                    by: by.to_owned(),
                    database,
                    depth,
                    links: chunk.iter().map(|(cid, _)| *cid).collect(),
                };
                let (hash, bytes) = list.encode();
                roots.push((hash.cid(), list.blocks));
                lists.push((hash, bytes));
            }
            if roots.len() <= 1 {
                return (lists, depth);
            }
            level = roots;
            depth += 1;
        }
    }

    /// The list of the lists of shipments, of which the deepest has this depth.
    pub(crate) fn over(shipments: &[Shipment], info: &DatabaseInfo, depth: u8, by: &str) -> BlockList {
        BlockList {
            blocks: shipments.iter().map(|shipment| shipment.blocks).sum(),
            by: by.to_owned(),
            database: info.address.manifest().cid(),
            depth: depth.saturating_add(1),
            links: shipments.iter().map(|shipment| shipment.root.cid()).collect(),
        }
    }

    /// The block's name and bytes.
    pub fn encode(&self) -> (Hash, Vec<u8>) {
        let bytes = serde_ipld_dagcbor::to_vec(self).expect("numbers, texts and links have a form in DAG-CBOR");
        (Hash::of(&bytes), bytes)
    }

    /// The block's name, and a file of it alone.
    pub(crate) fn to_car(&self) -> (Hash, Bytes) {
        let (hash, bytes) = self.encode();
        let mut car = CarWriter::new(&[hash.cid()]);
        car.block(&hash.cid(), &bytes);
        (hash, car.finish())
    }

    /// Reads a block, whose hash was checked.
    ///
    /// # Errors
    /// If it is no list, or has more links or levels than a list may have.
    pub fn decode(hash: Hash, bytes: &[u8]) -> Result<BlockList, BlockListError> {
        let wrong = |reason: String| BlockListError { hash, reason };
        if bytes.len() > BlockList::MAX_BYTES {
            return Err(wrong(format!("it has {} bytes", bytes.len())));
        }
        let list: BlockList = serde_ipld_dagcbor::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if list.links.len() > BlockList::MAX_LINKS || list.depth > BlockList::MAX_DEPTH {
            return Err(wrong(format!("it has {} links and {} levels", list.links.len(), list.depth)));
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cids(count: u32) -> Vec<Cid> {
        (0..count).map(|n| Hash::of(&n.to_be_bytes()).cid()).collect()
    }

    #[test]
    fn trees_hold_every_block_once_and_in_order() {
        let database = Hash::of(b"manifest").cid();
        for (count, depth) in [(1, 0), (1_000, 0), (1_001, 1), (10_000, 1)] {
            let blocks = cids(count);
            let (lists, found) = BlockList::tree("ab", database, &blocks);
            assert_eq!(found, depth, "{count}");
            let (root, bytes) = lists.last().expect("there is a root");
            let root = BlockList::decode(*root, bytes).expect("it is a list");
            assert_eq!((root.blocks, root.depth), (u64::from(count), depth));
            let mut leaves = Vec::new();
            for (hash, bytes) in &lists {
                let list = BlockList::decode(*hash, bytes).expect("it is a list");
                if list.depth == 0 {
                    leaves.extend(list.links);
                }
            }
            assert_eq!(leaves, blocks);
        }
    }

    #[test]
    fn lists_are_canonical_and_others_are_refused() {
        let (list, _) = BlockList::tree("ab", Hash::of(b"m").cid(), &cids(2));
        let (hash, bytes) = &list[0];
        assert_eq!(&bytes[..4], b"\xa5\x62by", "the shortest key is first");
        assert_eq!(BlockList::decode(*hash, bytes).expect("a list").encode().0, *hash);
        assert!(BlockList::decode(*hash, b"\xa0").is_err());
        let deep = BlockList { depth: 25, ..BlockList::decode(*hash, bytes).expect("a list") };
        let (hash, bytes) = deep.encode();
        let error = BlockList::decode(hash, &bytes).expect_err("too deep");
        assert!(error.to_string().contains("25 levels"), "{error}");
    }
}
