use std::{
    hash::{BuildHasher, RandomState},
    sync::Mutex,
};

use bytes::Bytes;
use lru::LruCache;

use crate::{Position, locked::lock};

/// Parts of the cache, each under its own lock, so that readers seldom meet.
const SHARDS: usize = 16;
/// What a block costs beside its bytes, roughly: the digest before it, its place in the map and list.
const BLOCK_OVERHEAD: usize = 160;

/// Blocks that were read and checked lately, up to a number of bytes. What lies at a position never changes, so nothing
/// in it is ever wrong.
#[derive(Debug)]
pub(crate) struct BlockCache {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    max_shard: usize,
}

#[derive(Debug)]
struct Shard {
    blocks: LruCache<Position, Bytes>,
    bytes: usize,
}

impl BlockCache {
    pub(crate) fn new(max_bytes: usize) -> BlockCache {
        let shard = || Mutex::new(Shard { blocks: LruCache::unbounded(), bytes: 0 });
        BlockCache {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            hasher: RandomState::new(),
            max_shard: max_bytes / SHARDS,
        }
    }

    pub(crate) fn get(&self, position: Position) -> Option<Bytes> {
        lock(self.shard(position)).blocks.get(&position).cloned()
    }

    pub(crate) fn insert(&self, position: Position, block: Bytes) {
        // A block that would drive out most others is not worth it.
        let cost = block.len() + BLOCK_OVERHEAD;
        if cost > self.max_shard / 4 {
            return;
        }
        let mut shard = lock(self.shard(position));
        if shard.blocks.put(position, block).is_none() {
            shard.bytes += cost;
        }
        while shard.bytes > self.max_shard
            && let Some((_, oldest)) = shard.blocks.pop_lru()
        {
            shard.bytes -= oldest.len() + BLOCK_OVERHEAD;
        }
    }

    /// Forgets the blocks of a segment, some of which are gone.
    pub(crate) fn forget(&self, segment: u32) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let of_it: Vec<Position> =
                shard.blocks.iter().map(|(position, _)| *position).filter(|at| at.segment == segment).collect();
            for position in of_it {
                if let Some(block) = shard.blocks.pop(&position) {
                    shard.bytes -= block.len() + BLOCK_OVERHEAD;
                }
            }
        }
    }

    fn shard(&self, position: Position) -> &Mutex<Shard> {
        &self.shards[self.hasher.hash_one(position) as usize % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(offset: u32) -> Position {
        Position { segment: 1, offset, len: 1000 }
    }

    #[test]
    fn holds_what_was_used_last_within_its_bounds() {
        let cache = BlockCache::new(SHARDS * 20_000);
        for i in 0..10_000 {
            cache.insert(position(i), Bytes::from(vec![i as u8; 1000]));
            assert_eq!(cache.get(position(i)).unwrap()[0], i as u8);
            cache.get(position(0));
        }
        assert!(cache.get(position(0)).is_some(), "it was used all the time");
        let held: usize = cache.shards.iter().map(|shard| lock(shard).blocks.len()).sum();
        let bytes: usize = cache.shards.iter().map(|shard| lock(shard).bytes).sum();
        assert_eq!(bytes, held * (1000 + BLOCK_OVERHEAD));
        assert!(bytes <= SHARDS * 20_000 && held > SHARDS * 10);
    }

    #[test]
    fn without_room_nothing_is_held() {
        let cache = BlockCache::new(0);
        cache.insert(position(1), Bytes::from_static(b"x"));
        assert_eq!(cache.get(position(1)), None);
    }
}
