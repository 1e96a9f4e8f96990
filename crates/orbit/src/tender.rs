//! [`Tender`]: judges entries again that are held back.

use crate::{
    DatabaseId, JoinError, Writer,
    frontier::Frontier,
    state::{Core, READY, StateError},
};
use debros_ipfs::{CommitError, Durability, ReadState as _, Snapshot, Store};
use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

/// So many entries are judged in one write, so that other writes get their turn.
const BATCH: usize = 256;

/// Judges entries again that are held back, when something has changed for them: on a thread of its own, and in many
/// small writes between those of others.
pub(crate) struct Tender {
    store: Store,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    called: bool,
    /// Something is being judged.
    busy: bool,
    ended: bool,
    /// Those who wait until nothing is ready.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Tender {
    /// Starts the thread.
    pub(crate) fn start(store: Store, core: Arc<Core>) -> std::io::Result<Tender> {
        let shared: Arc<Shared> = Arc::default();
        let theirs = store.clone();
        let of_thread = shared.clone();
        let thread = thread::Builder::new().name("orbit tender".to_owned()).spawn(move || {
            while of_thread.wait() {
                // what fails is tried again with the next call: the rows that say what is ready stay
                while let Ok(true) = judge(&theirs, &core) {
                    if of_thread.has_ended() {
                        break;
                    }
                }
                of_thread.rest();
            }
        })?;
        Ok(Tender { store, shared, thread: Mutex::new(Some(thread)) })
    }

    /// Something is ready to be judged.
    pub(crate) fn call(&self) {
        self.caller().call();
    }

    /// What calls it, without keeping it alive.
    pub(crate) fn caller(&self) -> TenderCaller {
        TenderCaller(self.shared.clone())
    }

    /// Waits until nothing is ready.
    pub(crate) async fn idle(&self) {
        let (sender, idle) = oneshot::channel();
        {
            let mut state = self.shared.state();
            if state.ended || !(state.called || state.busy) {
                return;
            }
            state.waiting.push(sender);
        }
        // dropped when the thread ends
        let _ = idle.await;
    }

    /// Ends the thread, after the write that it is at.
    pub(crate) fn end(&self) {
        self.shared.end();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // it can only have panicked, and there is nothing to clean up
            let _ = thread.join();
        }
    }
}

impl Drop for Tender {
    fn drop(&mut self) {
        let busy = self.shared.end();
        // so that whoever dropped the node may open the folder again; unless it is this very thread that it waits for
        if !busy || !self.store.runs_here() {
            self.end();
        }
    }
}

/// Calls a tender.
pub(crate) struct TenderCaller(Arc<Shared>);

impl TenderCaller {
    pub(crate) fn call(&self) {
        self.0.state().called = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a call; false when there will be none.
    fn wait(&self) -> bool {
        let mut state = self.state();
        while !state.called && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (state.called, state.busy) = (false, true);
        !state.ended
    }

    /// Whether something is being judged.
    fn end(&self) -> bool {
        let mut state = self.state();
        state.ended = true;
        state.waiting.clear();
        self.changed.notify_all();
        state.busy
    }

    fn has_ended(&self) -> bool {
        self.state().ended
    }

    fn rest(&self) {
        let mut state = self.state();
        state.busy = false;
        if !state.called {
            // whoever does not wait any more hears nothing
            for waiting in state.waiting.drain(..) {
                let _ = waiting.send(());
            }
        }
    }
}

/// Judges some entries again. Whether there may be more.
fn judge(store: &Store, core: &Arc<Core>) -> Result<bool, CommitError<JoinError>> {
    // a job sees all before it, and is answered when they are in every snapshot
    let ready = store.commit(Durability::Buffered, |group| {
        Ok::<_, JoinError>(group.scan(READY, &[], None, false).next().transpose().map_err(StateError::from)?.is_some())
    });
    if !futures::executor::block_on(ready)? {
        return Ok(false);
    }
    let snapshot = store.snapshot().map_err(StateError::from);
    let frontiers = snapshot.and_then(|snapshot| look_up(&snapshot, core)).map_err(|e| CommitError::Job(e.into()))?;
    let of_job = core.clone();
    let job = store.commit(Durability::Buffered, move |group| {
        Writer::new(group, &of_job, 0).with_frontiers(frontiers).judge_ready(BATCH)
    });
    futures::executor::block_on(job).map(|judged| judged > 0)
}

/// What was in logs when rights were revoked, of the databases whose entries wait for that.
fn look_up(snapshot: &Snapshot, core: &Core) -> Result<Vec<Frontier>, StateError> {
    let mut databases = BTreeSet::new();
    for row in snapshot.scan(READY, &[], None, false).take(BATCH) {
        let (key, _) = row?;
        databases.extend(key.first_chunk().map(|number| DatabaseId(u32::from_be_bytes(*number))));
    }
    let mut frontiers = Vec::new();
    for database in databases {
        let Some(info) = core.info(snapshot, database)? else { continue };
        if info.controller.is_some() {
            frontiers.extend(Frontier::all(core, snapshot, &info)?);
        }
    }
    Ok(frontiers)
}
