//! [`TopK`]: the first rows of an order.

use std::{cmp::Ordering, collections::BinaryHeap};

/// The first `limit` of what it is given, by rank; all of it, without a limit. No two ranks are equal. Holds no more
/// than it gives.
pub(super) struct TopK<T> {
    limit: Option<usize>,
    heap: BinaryHeap<Ranked<T>>,
}

struct Ranked<T> {
    rank: Vec<u8>,
    item: T,
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Ranked<T>) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}
impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Ranked<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Ranked<T>) -> bool {
        self.rank == other.rank
    }
}
impl<T> Eq for Ranked<T> {}

impl<T> TopK<T> {
    pub(super) fn new(limit: Option<usize>) -> TopK<T> {
        TopK { limit, heap: BinaryHeap::new() }
    }

    pub(super) fn add(&mut self, rank: Vec<u8>, item: T) {
        if self.limit.is_none_or(|limit| self.heap.len() < limit) {
            self.heap.push(Ranked { rank, item });
        } else if let Some(mut last) = self.heap.peek_mut()
            && rank < last.rank
        {
            // it sinks to its place when `last` is dropped
            *last = Ranked { rank, item };
        }
    }

    /// What it holds, in order.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = T> + use<T> {
        self.heap.into_sorted_vec().into_iter().map(|ranked| ranked.item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_gives_the_first_of_all_that_it_got(ranks in proptest::collection::hash_set(any::<u16>(), 0..50), limit in 0usize..60) {
            let mut top = TopK::new(Some(limit));
            for rank in &ranks {
                top.add(rank.to_be_bytes().to_vec(), *rank);
                prop_assert!(top.heap.len() <= limit);
            }
            let mut sorted: Vec<u16> = ranks.into_iter().collect();
            sorted.sort_unstable();
            sorted.truncate(limit);
            prop_assert_eq!(top.into_sorted().collect::<Vec<_>>(), sorted);
        }
    }
}
