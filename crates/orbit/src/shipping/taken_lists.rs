use crate::Hash;
use lru::LruCache;
use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// So many are remembered; a list may stand for a thousand blocks, or for a thousand lists.
const MOST: NonZeroUsize = NonZeroUsize::new(1 << 14).expect("some");

/// Lists of which everything was taken over, so that the next time they are left out. Forgotten when the folder is closed: then they are
/// read once more, and what is in them is found to be here.
#[derive(Debug)]
pub(crate) struct TakenLists(Mutex<LruCache<Hash, ()>>);

impl Default for TakenLists {
    fn default() -> TakenLists {
        TakenLists(Mutex::new(LruCache::new(MOST)))
    }
}

impl TakenLists {
    pub(crate) fn has(&self, list: &Hash) -> bool {
        self.lists().get(list).is_some()
    }

    pub(crate) fn add(&self, lists: impl IntoIterator<Item = Hash>) {
        let mut known = self.lists();
        for list in lists {
            known.put(list, ());
        }
    }

    fn lists(&self) -> MutexGuard<'_, LruCache<Hash, ()>> {
        // a cache is whole between two calls
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
