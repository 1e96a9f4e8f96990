use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::watch;

use crate::{
    Apply, Poison, StoreError, StoreOptions, pipeline::Pipeline, segment_writer::SegmentWriter, segments::Segments,
    views::Views,
};

/// What the threads and handles of a store share.
pub(crate) struct Shared {
    pub(crate) folder: PathBuf,
    pub(crate) options: StoreOptions,
    pub(crate) apply: Arc<dyn Apply>,
    /// Of `apply`, as it was when the store was opened.
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) segments: Segments,
    pub(crate) pipeline: Pipeline,
    pub(crate) views: Views,
    pub(crate) log: Mutex<SegmentWriter>,
    pub(crate) poison: OnceLock<Poison>,
    pub(crate) closed: AtomicBool,
    /// The number behind that of the last group that is known to be on the disk.
    pub(crate) durable: AtomicU64,
    /// The next group begins a segment.
    pub(crate) segment_ends: AtomicBool,
    /// Who rewrites a segment has them to themselves; who verifies sees them as they were when that began.
    pub(crate) rewriting: RwLock<()>,
    /// How many verify.
    pub(crate) verifying: watch::Sender<usize>,
}

impl Shared {
    pub(crate) fn check_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) { Err(self.closed_error()) } else { Ok(()) }
    }

    pub(crate) fn closed_error(&self) -> StoreError {
        StoreError::Closed { path: self.folder.clone() }
    }

    /// Whoever reads while the store is closed under it is told so, not that some file is gone.
    pub(crate) fn explain(&self, error: StoreError) -> StoreError {
        match self.check_open() {
            Ok(()) => error,
            Err(closed) => closed,
        }
    }

    /// Ends writing. The first cause is the one that everybody is told.
    pub(crate) fn poison(&self, cause: StoreError) -> Poison {
        let poison = self.poison.get_or_init(|| Poison::new(&self.folder, cause)).clone();
        self.views.stop_waiting();
        poison
    }
}
