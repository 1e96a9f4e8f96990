use crate::block::BlockKey;

/// Bits per block: with four probes about one lookup in eighty of an absent block is not told at once.
const BITS_PER_BLOCK: usize = 10;

/// A Bloom filter of the blocks of a segment. Keys are hashes already, so its probes are parts of the key.
#[derive(Debug)]
pub(crate) struct BlockFilter {
    words: Vec<u64>,
}

impl BlockFilter {
    pub(crate) fn with_capacity(blocks: usize) -> BlockFilter {
        BlockFilter { words: vec![0; (blocks * BITS_PER_BLOCK).div_ceil(64).max(1)] }
    }

    pub(crate) fn insert(&mut self, key: &BlockKey) {
        for bit in self.probes(key) {
            self.words[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// False only of blocks that were not inserted.
    pub(crate) fn may_contain(&self, key: &BlockKey) -> bool {
        self.probes(key).into_iter().all(|bit| self.words[bit / 64] & (1 << (bit % 64)) != 0)
    }

    fn probes(&self, key: &BlockKey) -> [usize; 4] {
        let bits = self.words.len() as u64 * 64;
        let mut probes = [0; 4];
        for (probe, part) in probes.iter_mut().zip(key.as_chunks::<8>().0) {
            *probe = (u64::from_be_bytes(*part) % bits) as usize;
        }
        probes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::sha256;

    #[test]
    fn knows_all_that_is_there_and_most_that_is_not() {
        let mut filter = BlockFilter::with_capacity(1000);
        let key = |i: u32| sha256(&i.to_be_bytes());
        (0..1000).for_each(|i| filter.insert(&key(i)));
        assert!((0..1000).all(|i| filter.may_contain(&key(i))));
        assert!((1000..11_000).filter(|i| filter.may_contain(&key(*i))).count() < 500);
        assert!(!BlockFilter::with_capacity(0).may_contain(&key(0)));
    }
}
