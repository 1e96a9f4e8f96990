use std::sync::Arc;

use crate::{StoreError, Table, journal_end::JournalEnd, overlay::Overlay, state_file::Base, views::Epoch};

/// A state: that of the state file at its last checkpoint, and the changes since.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) base: Arc<Base>,
    /// Oldest first.
    pub(crate) layers: Vec<Arc<Overlay>>,
    /// The groups before this place are in the state.
    pub(crate) end: JournalEnd,
    /// When it was published, if it was.
    #[expect(dead_code, reason = "who has a view keeps its epoch alive, and does nothing else with it")]
    pub(crate) epoch: Option<Arc<Epoch>>,
}

impl View {
    /// The layers, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Overlay> {
        self.layers.iter().rev().map(Arc::as_ref)
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.newest_first().find_map(|layer| layer.get(table, key)) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.base.get(table, key),
        }
    }
}
