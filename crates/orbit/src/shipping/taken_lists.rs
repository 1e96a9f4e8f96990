use crate::{DatabaseId, Hash};
use lru::LruCache;
use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// So many are remembered; a list may stand for a thousand blocks, or for a thousand lists.
const MOST: NonZeroUsize = NonZeroUsize::new(1 << 14).expect("some");

/// Lists of which everything was taken over, so that the next time they are left out. Forgotten when the folder is closed: then they are
/// read once more, and what is in them is found to be here. A database that was dropped and is opened again is another one.
#[derive(Debug)]
pub(crate) struct TakenLists(Mutex<LruCache<(DatabaseId, Hash), ()>>);

impl Default for TakenLists {
    fn default() -> TakenLists {
        TakenLists(Mutex::new(LruCache::new(MOST)))
    }
}

impl TakenLists {
    pub(crate) fn has(&self, database: DatabaseId, list: &Hash) -> bool {
        self.lists().get(&(database, *list)).is_some()
    }

    pub(crate) fn add(&self, database: DatabaseId, lists: impl IntoIterator<Item = Hash>) {
        let mut known = self.lists();
        for list in lists {
            known.put((database, list), ());
        }
    }

    fn lists(&self) -> MutexGuard<'_, LruCache<(DatabaseId, Hash), ()>> {
        // a cache is whole between two calls
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
