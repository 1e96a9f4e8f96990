//! [`Verifier`]: the threads that check signatures.

use crate::{Encryption, Limits, Received};
use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use tokio::sync::oneshot;

/// Looks at entries on all cores, beside whoever waits for it. Its threads are started with the first entries.
pub(crate) struct Verifier {
    limits: Limits,
    pool: Mutex<Option<Arc<rayon::ThreadPool>>>,
}

impl Verifier {
    pub(crate) fn new(limits: Limits) -> Verifier {
        Verifier { limits, pool: Mutex::new(None) }
    }

    pub(crate) async fn look(&self, entries: Vec<Vec<u8>>, encryption: Encryption) -> Vec<Received> {
        let Some(pool) = self.pool() else { return self.look_here(&entries, &encryption) };
        let (done, looked) = oneshot::channel();
        let (limits, theirs) = (self.limits.clone(), encryption.clone());
        let entries = Arc::new(entries);
        let all = entries.clone();
        pool.spawn(move || {
            use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
            let looked = all.par_iter().map(|entry| Received::read(entry, &limits, &theirs)).collect::<Vec<_>>();
            // nobody waits any more if the future was dropped
            let _ = done.send(looked);
        });
        // only a thread that panicked sends nothing
        looked.await.unwrap_or_else(|_| self.look_here(&entries, &encryption))
    }

    fn look_here(&self, entries: &[Vec<u8>], encryption: &Encryption) -> Vec<Received> {
        entries.iter().map(|entry| Received::read(entry, &self.limits, encryption)).collect()
    }

    /// The threads; `None` if there can be none.
    fn pool(&self) -> Option<Arc<rayon::ThreadPool>> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.is_none() {
            let threads = thread::available_parallelism().map_or(1, NonZero::get);
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
            *pool = builder.thread_name(|n| format!("verifier {n}")).build().ok().map(Arc::new);
        }
        pool.clone()
    }
}
