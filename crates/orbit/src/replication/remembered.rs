use crate::Hash;
use std::collections::{HashSet, VecDeque};

/// The hashes that came last, so many of them.
#[derive(Debug)]
pub(super) struct Remembered {
    most: usize,
    known: HashSet<Hash>,
    order: VecDeque<Hash>,
}

impl Remembered {
    pub(super) fn new(most: usize) -> Remembered {
        Remembered { most, known: HashSet::new(), order: VecDeque::new() }
    }

    pub(super) fn insert(&mut self, hash: Hash) {
        if self.known.insert(hash) {
            self.order.push_back(hash);
            if self.order.len() > self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }

    pub(super) fn contains(&self, hash: &Hash) -> bool {
        self.known.contains(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut remembered = Remembered::new(2);
        let hashes = [1, 2, 3].map(|n: u8| Hash::of(&[n]));
        for hash in [hashes[0], hashes[1], hashes[1], hashes[2]] {
            remembered.insert(hash);
        }
        assert_eq!(hashes.map(|hash| remembered.contains(&hash)), [false, true, true]);
    }
}
