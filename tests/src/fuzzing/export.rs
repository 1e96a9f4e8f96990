//! Files of blocks that a daemon exports.

use super::vectors::bytes_in;
use debros_ipfs::{CarWriter, fuzzing::exported_blocks};
use debros_orbit::Hash;

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let blocks = bytes_in(&["acceptance.json", "identity.json"]);
    let file = |blocks: &[Vec<u8>]| {
        let mut car = CarWriter::new(&[Hash::of(&blocks[0]).cid()]);
        blocks.iter().for_each(|block| car.block(&Hash::of(block).cid(), block));
        car.finish().to_vec()
    };
    blocks.chunks(3).take(40).map(file).collect()
}

/// What is read of a file does not depend on the pieces in which it arrives, and is no more than what arrived.
pub(super) fn check(bytes: &[u8]) {
    let whole = exported_blocks(bytes, bytes.len());
    let pieces = exported_blocks(bytes, 1 + bytes.len() % 61);
    assert_eq!(whole.as_ref().map_err(ToString::to_string), pieces.as_ref().map_err(ToString::to_string));
    if let Ok(blocks) = whole {
        assert!(blocks.iter().map(|block| block.len()).sum::<usize>() <= bytes.len());
    }
}
