//! The order in which a log is read.

use crate::{Clock, Hash};
use std::{
    collections::{BinaryHeap, HashSet},
    convert::Infallible,
};

/// What a walk over a log needs to know of an entry.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) clock: Clock,
    pub(crate) next: Vec<Hash>,
}

/// The entries that can be reached from `roots` by `next`, newest first: by time, then by the writer's key, then, where
/// JavaScript has no rule, by hash.
///
/// For logs in which every entry's time is larger than those of the entries that it follows, which is every log that
/// was checked on its way in, this is the order in which JavaScript reads.
pub(crate) struct Traverse<L> {
    links: L,
    waiting: BinaryHeap<(Clock, Hash)>,
    seen: HashSet<Hash>,
    roots: Vec<Hash>,
}

impl<E, L: FnMut(&Hash) -> Result<Links, E>> Traverse<L> {
    pub(crate) fn new(roots: impl IntoIterator<Item = Hash>, links: L) -> Traverse<L> {
        Traverse { links, waiting: BinaryHeap::new(), seen: HashSet::new(), roots: roots.into_iter().collect() }
    }

    fn wait_for(&mut self, hash: Hash) -> Result<(), E> {
        if self.seen.insert(hash) {
            let clock = (self.links)(&hash)?.clock;
            self.waiting.push((clock, hash));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<Hash>, E> {
        for root in std::mem::take(&mut self.roots) {
            self.wait_for(root)?;
        }
        let Some((_, hash)) = self.waiting.pop() else { return Ok(None) };
        for next in (self.links)(&hash)?.next {
            self.wait_for(next)?;
        }
        Ok(Some(hash))
    }
}

impl<E, L: FnMut(&Hash) -> Result<Links, E>> Iterator for Traverse<L> {
    type Item = Result<Hash, E>;

    fn next(&mut self) -> Option<Result<Hash, E>> {
        self.step().transpose()
    }
}

/// Takes the hashes out of a walk that cannot fail.
pub(crate) fn sure(step: Result<Hash, Infallible>) -> Hash {
    match step {
        Ok(hash) => hash,
        Err(never) => match never {},
    }
}
