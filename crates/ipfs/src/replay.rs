use std::sync::Arc;

use crate::{
    Apply, ApplyError, StoreError,
    group::{Group, GroupSource, OpenGroup},
    journal_end::JournalEnd,
    overlay::Overlay,
    segments::Segments,
    state_file::StateFile,
    state_meta::StateMeta,
    stored_groups::StoredGroup,
    view::View,
};

/// Changes are written to the state file when they take so much memory, in bytes.
const MAX_MEMORY: usize = 16 << 20;

/// Applies groups of the segments to a state file.
pub(crate) struct Replay<'r> {
    apply: &'r Arc<dyn Apply>,
    segments: &'r Segments,
    state: &'r StateFile,
    fingerprint: Vec<u8>,
    view: View,
    /// Bytes of segments that are not in the state file yet.
    appended: u64,
}

impl<'r> Replay<'r> {
    /// On top of what the state file holds, which ends at `end`.
    pub(crate) fn new(
        apply: &'r Arc<dyn Apply>,
        segments: &'r Segments,
        state: &'r StateFile,
        fingerprint: Vec<u8>,
        end: JournalEnd,
    ) -> Result<Replay<'r>, StoreError> {
        let view = View { base: Arc::new(state.base()?), layers: vec![Arc::default()], end, epoch: None };
        Ok(Replay { apply, segments, state, fingerprint, view, appended: 0 })
    }

    /// Applies a group; gives the group back for its blocks.
    pub(crate) fn group(&mut self, stored: StoredGroup) -> Result<OpenGroup, StoreError> {
        let start = stored.blocks.start();
        // The blocks of the group lie before its end and are found in the group itself.
        self.view.end.segment = stored.end.segment;
        self.view.end.offset = start;
        let mut open = OpenGroup::new(stored.blocks);
        let source = GroupSource { apply: self.apply, segments: self.segments, view: &self.view, in_flight: None };
        let mut group = Group::new(source, &mut open);
        let applied: Result<(), ApplyError> = stored.record.ops.iter().try_for_each(|op| group.replay(op));
        if let Err(source) = applied {
            return Err(StoreError::Replay {
                file: self.segments.path(stored.end.segment),
                offset: u64::from(start),
                sequence: stored.record.sequence,
                source: Box::new(source),
            });
        }
        group.keep();
        self.layer().absorb(std::mem::take(&mut open.changes));
        self.view.end = stored.end;
        self.appended += u64::from(stored.end.offset - start);
        if self.layer().bytes() >= MAX_MEMORY {
            self.flush()?;
        }
        Ok(open)
    }

    /// The one layer, which nobody else reads.
    fn layer(&mut self) -> &mut Overlay {
        if self.view.layers.is_empty() {
            self.view.layers.push(Arc::default());
        }
        Arc::make_mut(&mut self.view.layers[0])
    }

    /// Goes on in the next segment.
    pub(crate) fn moved_to(&mut self, end: JournalEnd) {
        self.view.end = end;
    }

    /// Writes what was applied to the state file.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        self.state.write(&self.view.layers, &StateMeta::new(self.fingerprint.clone(), self.view.end))?;
        self.view.layers.clear();
        self.view.base = Arc::new(self.state.base()?);
        self.appended = 0;
        Ok(())
    }

    /// The state that was reached, and how many bytes of segments of it are not in the state file.
    pub(crate) fn finish(mut self) -> (View, u64) {
        self.view.layers.retain(|layer| layer.rows() > 0);
        (self.view, self.appended)
    }
}
