use std::sync::Arc;

use crate::{
    DiskError, StoreError,
    locked::lock,
    shared::Shared,
    state_file::{Base, StateFile},
    state_meta::StateMeta,
    step::Step,
    view::View,
    views::{Stop, Work},
};

/// Brings the state file up to the segments from time to time, and seals segments that are full.
pub(crate) struct Checkpointer {
    shared: Arc<Shared>,
    state: StateFile,
    /// Segments that are full and may have no index file yet.
    to_seal: Vec<u32>,
    /// The segment that was written to at the last checkpoint.
    open_segment: u32,
}

impl Checkpointer {
    pub(crate) fn new(shared: Arc<Shared>, state: StateFile, to_seal: Vec<u32>, open_segment: u32) -> Checkpointer {
        Checkpointer { shared, state, to_seal, open_segment }
    }

    /// Works until the store ends. After a failed checkpoint the store takes no more writes; what was answered is in
    /// the segments, and the next open replays it.
    pub(crate) fn run(mut self) -> Result<(), StoreError> {
        self.seal();
        loop {
            match self.shared.views.wait_for_work() {
                Work::Checkpoint(view) => {
                    if let Err(error) = self.checkpoint(&view) {
                        self.shared.poison(error);
                    }
                }
                Work::Stop(Stop::AtOnce) => {
                    self.shared.views.release(Base::empty());
                    return Ok(());
                }
                Work::Stop(Stop::Cleanly) => return self.end(),
            }
        }
    }

    fn checkpoint(&mut self, view: &View) -> Result<(), StoreError> {
        self.sync_segment()?;
        let meta = StateMeta::new(self.shared.fingerprint.clone(), view.end);
        self.state.write(&view.layers, &meta)?;
        self.shared.views.checkpointed(self.state.base()?);
        self.to_seal.extend(self.open_segment..view.end.segment);
        self.open_segment = view.end.segment;
        self.seal();
        Ok(())
    }

    /// The state file must never know of groups that a power cut could take. The sync runs beside the writer, not in
    /// its way.
    fn sync_segment(&self) -> Result<(), StoreError> {
        let Some(unsynced) = lock(&self.shared.log).unsynced() else { return Ok(()) };
        let path = self.shared.segments.path(unsynced.segment);
        Step::CheckpointSync.run(|| unsynced.file.sync_data()).map_err(DiskError::at("syncing", &path))?;
        lock(&self.shared.log).note_synced(&unsynced);
        Ok(())
    }

    /// Writes the index files of full segments. One that cannot be written now is written after the next open; until
    /// then its blocks are found from memory or the segment itself.
    fn seal(&mut self) {
        for segment in self.to_seal.drain(..) {
            let _ = self.shared.segments.seal(segment);
        }
    }

    fn end(mut self) -> Result<(), StoreError> {
        self.shared.views.release(Base::empty());
        if let Some(poison) = self.shared.poison.get() {
            return Err(poison.clone().into());
        }
        self.state.compact_if_worth_it(self.shared.segments.total_len()?)?;
        self.state.close()
    }
}
