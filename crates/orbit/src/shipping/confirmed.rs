use super::{Shipment, Shipments};
use crate::{DatabaseId, Hash, Snapshot};
use debros_ipfs::Place;
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// What the daemon that is being talked to holds and pins, for whoever tells others of it.
#[derive(Default)]
pub(crate) struct Confirmed {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    shipments: Shipments,
    /// Whether the daemon has everything that this folder had at one moment: not while something that it lost is being sent once more.
    whole: bool,
    /// That moment, until somebody has looked at it.
    snapshot: Option<Snapshot>,
    /// The databases of which something was shipped by then, since somebody has looked,
    changed: BTreeSet<DatabaseId>,
    /// and since that moment.
    touched: BTreeSet<DatabaseId>,
    /// What was told of last.
    told: Option<(Option<Place>, Option<u64>, u64)>,
}

impl Confirmed {
    /// Another daemon, or a new session with the same: it has these shipments, and more is to be found out.
    pub(crate) fn begin(&self, shipments: Shipments) {
        let mut state = self.state();
        let (changed, touched) = (std::mem::take(&mut state.changed), std::mem::take(&mut state.touched));
        *state = State { shipments, changed, touched, ..State::default() };
    }

    /// It has everything that this snapshot has, which ends here.
    pub(crate) fn reached(&self, snapshot: Snapshot, until: Option<Place>) {
        let mut state = self.state();
        let now = (until, state.shipments.last().map(|last| last.number), state.shipments.count());
        state.whole = true;
        if state.told.as_ref() == Some(&now) || self.changed.receiver_count() == 0 {
            return;
        }
        (state.told, state.snapshot) = (Some(now), Some(snapshot));
        let mut touched = std::mem::take(&mut state.touched);
        state.changed.append(&mut touched);
        drop(state);
        self.changed.send_replace(());
    }

    /// Tells when there is another moment.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        let changes = self.changed.subscribe();
        self.tell_again();
        changes
    }

    /// Somebody has not heard of the last moment.
    pub(crate) fn tell_again(&self) {
        self.state().told = None;
    }

    /// The last moment of which the daemon has everything, once, and the databases of which something was shipped since it was asked
    /// for last.
    pub(crate) fn take(&self) -> Option<(Snapshot, BTreeSet<DatabaseId>)> {
        let mut state = self.state();
        let snapshot = state.snapshot.take()?;
        Some((snapshot, std::mem::take(&mut state.changed)))
    }

    /// The roots of what it has of a database, the earliest first; `None` while it does not have everything.
    pub(crate) fn roots(&self, database: DatabaseId) -> Option<Vec<Hash>> {
        let state = self.state();
        state.whole.then(|| {
            let mut shipments: Vec<Shipment> = state.shipments.of(database).copied().collect();
            // those that came later may follow entries of those before
            shipments.sort_by_key(|shipment| (shipment.first, shipment.number));
            shipments.iter().map(|shipment| shipment.root).collect()
        })
    }

    pub(crate) fn add(&self, added: impl IntoIterator<Item = Shipment>) {
        let mut state = self.state();
        for shipment in added {
            state.touched.insert(shipment.database);
            state.shipments.add([shipment]);
        }
    }

    pub(crate) fn replace(&self, merged: &[Shipment], by: Shipment) {
        self.state().shipments.replace(merged, by);
    }

    /// It pins nothing of these databases any more.
    pub(crate) fn forget(&self, databases: &[DatabaseId]) {
        self.state().shipments.forget(databases);
    }

    pub(crate) fn to_merge(&self, at: usize, count: usize) -> Option<Vec<Shipment>> {
        self.state().shipments.to_merge(at, count)
    }

    pub(crate) fn all(&self) -> Vec<Shipment> {
        self.state().shipments.all().copied().collect()
    }

    /// The databases of which it holds something.
    pub(crate) fn databases(&self) -> BTreeSet<DatabaseId> {
        self.state().shipments.all().map(|shipment| shipment.database).collect()
    }

    pub(crate) fn last(&self) -> Option<Shipment> {
        self.state().shipments.last()
    }

    pub(crate) fn count(&self) -> u64 {
        self.state().shipments.count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing in here panics halfway
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
