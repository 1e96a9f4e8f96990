use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    StoreOptions, group::InFlight, journal_end::JournalEnd, locked::lock, overlay::Overlay, state_file::Base,
    view::View,
};

/// Layers with at least so many rows are left as they are; smaller ones are merged, so that reading stays quick.
const LARGE_LAYER: usize = 4096;
/// Changes in memory, in bytes for each byte of a checkpoint's segment data, at which writing stops until the
/// checkpoint that is running has ended.
const MEMORY_PER_CHECKPOINT_BYTE: u64 = 8;
/// Bytes appended since the last checkpoint, in checkpoints, at which writing stops.
const MAX_CHECKPOINTS_BEHIND: u64 = 4;
/// At half of either, each group waits for so long at most: a disk that is slow for a while slows writing down, and
/// does not stop it.
const PACE: Duration = Duration::from_millis(100);

/// The state that readers see, and what of it is not in the state file yet.
pub(crate) struct Views {
    state: Mutex<State>,
    /// The checkpointer waits here for work.
    work: Condvar,
    /// The writer waits here for room.
    room: Condvar,
    limits: Limits,
    /// How many groups are committed.
    commits: watch::Sender<u64>,
    /// The number of the first group that is not in the state file; the largest number, when none comes there any more.
    saved: watch::Sender<u64>,
    /// The epochs from which somebody still has a view.
    alive: Arc<watch::Sender<BTreeSet<u64>>>,
}

/// When checkpoints start and when writing waits for them.
struct Limits {
    checkpoint_bytes: u64,
    checkpoint_idle: Duration,
    max_appended: u64,
    max_memory: u64,
}

/// A span of time, in which a view was published. It is alive as long as one of its views is.
#[derive(Debug)]
pub(crate) struct Epoch {
    number: u64,
    alive: Arc<watch::Sender<BTreeSet<u64>>>,
}

impl Epoch {
    fn begin(number: u64, alive: &Arc<watch::Sender<BTreeSet<u64>>>) -> Arc<Epoch> {
        alive.send_modify(|epochs| {
            epochs.insert(number);
        });
        Arc::new(Epoch { number, alive: alive.clone() })
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.alive.send_modify(|epochs| {
            epochs.remove(&self.number);
        });
    }
}

struct State {
    /// Of the views that are published now.
    epoch: Arc<Epoch>,
    view: Arc<View>,
    /// The group under commit: seen by the jobs after it, not by readers.
    in_flight: Option<Arc<InFlight>>,
    /// How many of the oldest layers a running checkpoint writes. They stay as they are until it is done.
    frozen: usize,
    /// The number of the first group that it does not write.
    frozen_end: u64,
    /// Somebody waits for a checkpoint.
    wanted: bool,
    /// Bytes of segments since the last checkpoint, and those of them that the running one covers.
    appended: u64,
    appended_frozen: u64,
    /// Memory of the layers.
    memory: u64,
    last_publish: Instant,
    stop: Option<Stop>,
    /// A checkpoint cannot be hoped for any more.
    poisoned: bool,
}

/// How the checkpointer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// After a last checkpoint.
    Cleanly,
    /// At once: the next open replays what is missing.
    AtOnce,
}

/// What the checkpointer does next.
pub(crate) enum Work {
    Checkpoint(Arc<View>),
    Stop(Stop),
}

impl Views {
    pub(crate) fn new(view: View, appended: u64, options: &StoreOptions) -> Views {
        let commits = watch::Sender::new(view.end.sequence - 1);
        let memory = view.layers.iter().map(|layer| layer.bytes() as u64).sum();
        let alive = Arc::new(watch::Sender::default());
        let epoch = Epoch::begin(0, &alive);
        let saved = watch::Sender::new(if appended == 0 { view.end.sequence } else { 0 });
        Views {
            commits,
            saved,
            alive,
            state: Mutex::new(State {
                view: Arc::new(View { epoch: Some(epoch.clone()), ..view }),
                epoch,
                in_flight: None,
                frozen: 0,
                frozen_end: 0,
                wanted: false,
                appended,
                appended_frozen: 0,
                memory,
                last_publish: Instant::now(),
                stop: None,
                poisoned: false,
            }),
            work: Condvar::new(),
            room: Condvar::new(),
            limits: Limits {
                checkpoint_bytes: options.checkpoint_bytes,
                checkpoint_idle: options.checkpoint_idle,
                max_appended: options.checkpoint_bytes.saturating_mul(MAX_CHECKPOINTS_BEHIND),
                max_memory: options.checkpoint_bytes.saturating_mul(MEMORY_PER_CHECKPOINT_BYTE),
            },
        }
    }

    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Wakes those who wait for a commit: there will be none.
    pub(crate) fn wake(&self) {
        self.commits.send_modify(|_| {});
    }

    pub(crate) fn current(&self) -> Arc<View> {
        lock(&self.state).view.clone()
    }

    /// Waits until nobody has a view any more that was published before now.
    pub(crate) async fn older_gone(&self) {
        let begun = {
            let mut state = lock(&self.state);
            let number = state.epoch.number + 1;
            state.epoch = Epoch::begin(number, &self.alive);
            state.view = Arc::new(View { epoch: Some(state.epoch.clone()), ..View::clone(&state.view) });
            number
        };
        let is_over = |epochs: &BTreeSet<u64>| epochs.range(..begun).next().is_none();
        // An error would mean that the sender is gone, which `self` holds.
        let _ = self.alive.subscribe().wait_for(is_over).await;
    }

    /// Waits until the groups before this number are in the state file, or will never be.
    pub(crate) async fn saved(&self, sequence: u64) {
        let mut saved = self.saved.subscribe();
        if *saved.borrow_and_update() < sequence {
            lock(&self.state).wanted = true;
            self.work.notify_one();
        }
        // An error would mean that the sender is gone, which `self` holds.
        let _ = saved.wait_for(|saved| *saved >= sequence).await;
    }

    /// What a job sees before its own group.
    pub(crate) fn for_job(&self) -> (Arc<View>, Option<Arc<InFlight>>) {
        let state = lock(&self.state);
        (state.view.clone(), state.in_flight.clone())
    }

    pub(crate) fn set_in_flight(&self, group: Arc<InFlight>) {
        lock(&self.state).in_flight = Some(group);
    }

    /// Shows a committed group to readers.
    pub(crate) fn publish(&self, changes: Arc<Overlay>, end: JournalEnd, bytes: u64) {
        let mut state = lock(&self.state);
        state.in_flight = None;
        if end == state.view.end {
            return;
        }
        let was_clean = state.appended == 0;
        let was_due = self.limits.due(&state);
        state.appended += bytes;
        state.last_publish = Instant::now();
        let mut layers = state.view.layers.clone();
        if changes.rows() > 0 {
            state.memory += changes.bytes() as u64;
            layers.push(changes);
        }
        state.view = Arc::new(View { base: state.view.base.clone(), layers, end, epoch: Some(state.epoch.clone()) });
        // In between, the checkpointer watches the clock by itself.
        if was_clean || (!was_due && self.limits.due(&state)) {
            self.work.notify_one();
        }
        drop(state);
        self.commits.send_replace(end.sequence - 1);
    }

    /// The group under commit failed.
    pub(crate) fn forget_in_flight(&self) {
        lock(&self.state).in_flight = None;
    }

    /// Merges small layers, newest with the one before, as long as the newer is not much the smaller: a row is copied
    /// a few times at most, and there are few layers at any time. Called by the committing thread alone.
    pub(crate) fn tidy(&self) {
        let (view, frozen) = {
            let state = lock(&self.state);
            (state.view.clone(), state.frozen)
        };
        let mut layers = view.layers[frozen.min(view.layers.len())..].to_vec();
        let before = layers.len();
        while let [.., older, newer] = &layers[..]
            && older.rows() < LARGE_LAYER
            && newer.rows() * 2 >= older.rows()
        {
            let mut merged = Overlay::clone(older);
            merged.absorb_copy(newer);
            layers.truncate(layers.len() - 2);
            layers.push(Arc::new(merged));
        }
        if layers.len() == before {
            return;
        }
        let mut state = lock(&self.state);
        // A checkpoint that began or ended meanwhile has its own idea of the layers; the next group tidies again.
        if !Arc::ptr_eq(&state.view, &view) || state.frozen != frozen {
            return;
        }
        let mut all = view.layers[..frozen].to_vec();
        all.append(&mut layers);
        state.memory = all.iter().map(|layer| layer.bytes() as u64).sum();
        state.view = Arc::new(View { layers: all, ..View::clone(&view) });
    }

    /// Waits until a checkpoint is due, by bytes or because nothing was written for a while, or the store ends.
    pub(crate) fn wait_for_work(&self) -> Work {
        let mut state = lock(&self.state);
        loop {
            let due = state.appended > 0 && !state.poisoned;
            if let Some(stop) = state.stop {
                if due && stop == Stop::Cleanly {
                    return Work::Checkpoint(state.freeze());
                }
                return Work::Stop(stop);
            }
            if !due {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let idle = state.last_publish.elapsed();
            if self.limits.due(&state) || state.wanted || idle >= self.limits.checkpoint_idle {
                return Work::Checkpoint(state.freeze());
            }
            let wait = self.limits.checkpoint_idle - idle;
            state = self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The frozen layers are in `base` now.
    pub(crate) fn checkpointed(&self, base: Base) {
        let mut state = lock(&self.state);
        let layers = state.view.layers[state.frozen..].to_vec();
        state.frozen = 0;
        self.saved.send_modify(|saved| *saved = (*saved).max(state.frozen_end));
        state.appended -= state.appended_frozen;
        state.appended_frozen = 0;
        state.memory = layers.iter().map(|layer| layer.bytes() as u64).sum();
        state.view = Arc::new(View { base: Arc::new(base), layers, ..View::clone(&state.view) });
        drop(state);
        self.room.notify_one();
    }

    /// Holds the writer up when so much is not in the state file yet that memory, or the time that the next open takes,
    /// would grow without bound: for a moment at first, and for as long as it takes at last.
    pub(crate) fn wait_for_room(&self) {
        let mut state = lock(&self.state);
        let paced_until = Instant::now() + PACE;
        while !state.poisoned && self.limits.reached(&state, 2) {
            self.work.notify_one();
            state = if self.limits.reached(&state, 1) {
                self.room.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                let left = paced_until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return;
                }
                self.room.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    /// Nobody waits for a checkpoint any more: there will be none.
    pub(crate) fn stop_waiting(&self) {
        lock(&self.state).poisoned = true;
        self.saved.send_replace(u64::MAX);
        self.room.notify_all();
        self.work.notify_all();
    }

    pub(crate) fn stop(&self, how: Stop) {
        self.saved.send_replace(u64::MAX);
        lock(&self.state).stop = Some(how);
        self.work.notify_all();
    }

    /// Lets go of the state file.
    pub(crate) fn release(&self, empty: Base) {
        let mut state = lock(&self.state);
        state.view = Arc::new(View { base: Arc::new(empty), layers: Vec::new(), ..View::clone(&state.view) });
    }
}

impl Limits {
    /// Whether a part of what may be missing from the state file is missing.
    fn reached(&self, state: &State, divisor: u64) -> bool {
        state.appended >= self.max_appended / divisor || state.memory >= self.max_memory / divisor
    }

    /// Whether a checkpoint is due whatever the clock says.
    fn due(&self, state: &State) -> bool {
        state.appended >= self.checkpoint_bytes || state.memory >= self.max_memory / 2
    }
}

impl State {
    fn freeze(&mut self) -> Arc<View> {
        self.frozen = self.view.layers.len();
        self.frozen_end = self.view.end.sequence;
        self.wanted = false;
        self.appended_frozen = self.appended;
        self.view.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Table, store_mark::StoreMark};

    const T: Table = Table("t");

    fn views() -> Views {
        let options =
            StoreOptions { checkpoint_bytes: 1000, checkpoint_idle: Duration::from_secs(3600), ..Default::default() };
        let end = JournalEnd::start(&StoreMark::from_bytes([0; 16]));
        Views::new(View { base: Arc::new(Base::empty()), layers: Vec::new(), end, epoch: None }, 0, &options)
    }

    fn publish(views: &Views, rows: std::ops::Range<u32>, bytes: u64) {
        let mut changes = Overlay::default();
        for row in rows {
            changes.set(T, row.to_be_bytes().to_vec(), Some(vec![1]));
        }
        let mut end = views.current().end;
        end.offset += bytes as u32;
        end.sequence += 1;
        views.publish(Arc::new(changes), end, bytes);
        views.tidy();
    }

    #[test]
    fn there_are_few_layers_however_many_groups_there_were() {
        let views = views();
        for i in 0..3000 {
            publish(&views, i..i + 1, 1);
            assert!(views.current().layers.len() <= 13);
        }
        let view = views.current();
        assert_eq!(view.layers.iter().map(|layer| layer.rows()).sum::<usize>(), 3000);
        assert!((0..3000u32).all(|i| view.get(T, &i.to_be_bytes()).unwrap().is_some()));
        assert_eq!(lock(&views.state).memory, view.layers.iter().map(|layer| layer.bytes() as u64).sum::<u64>());
    }

    #[test]
    fn layers_that_a_checkpoint_writes_stay_as_they_are() {
        let views = views();
        publish(&views, 0..10, 600);
        publish(&views, 10..20, 600);
        let Work::Checkpoint(frozen) = views.wait_for_work() else { panic!() };
        let before = frozen.layers.len();
        for i in 20..30 {
            publish(&views, i..i + 1, 10);
        }
        let view = views.current();
        assert!(frozen.layers.iter().zip(&view.layers).all(|(a, b)| Arc::ptr_eq(a, b)));
        views.checkpointed(Base::empty());
        let after = views.current();
        assert_eq!(after.layers.len(), view.layers.len() - before);
        assert_eq!(after.layers.iter().map(|layer| layer.rows()).sum::<usize>(), 10);
        assert_eq!(lock(&views.state).appended, 100);
    }

    #[test]
    fn who_waits_for_older_views_waits_for_nobody_else() {
        let views = views();
        let older = views.current();
        publish(&views, 0..1, 10);
        let mut wait = Box::pin(views.older_gone());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        let newer = views.current();
        publish(&views, 1..2, 10);
        assert!(wait.as_mut().poll(&mut context).is_pending());
        drop(older);
        assert!(wait.as_mut().poll(&mut context).is_ready());
        drop(newer);
        assert!(std::pin::pin!(views.older_gone()).poll(&mut context).is_ready());
    }

    #[test]
    fn who_waits_for_a_checkpoint_gets_one() {
        let views = views();
        publish(&views, 0..1, 10);
        let end = views.current().end.sequence;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut saved = Box::pin(views.saved(end));
        assert!(saved.as_mut().poll(&mut context).is_pending());
        assert!(matches!(views.wait_for_work(), Work::Checkpoint(_)));
        publish(&views, 1..2, 10);
        assert!(saved.as_mut().poll(&mut context).is_pending());
        views.checkpointed(Base::empty());
        assert!(saved.as_mut().poll(&mut context).is_ready());
        let mut next = Box::pin(views.saved(end + 1));
        assert!(next.as_mut().poll(&mut context).is_pending());
        views.stop_waiting();
        assert!(next.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn a_clean_stop_comes_after_a_last_checkpoint() {
        let views = views();
        publish(&views, 0..1, 10);
        views.stop(Stop::Cleanly);
        assert!(matches!(views.wait_for_work(), Work::Checkpoint(_)));
        views.checkpointed(Base::empty());
        assert!(matches!(views.wait_for_work(), Work::Stop(Stop::Cleanly)));
    }

    #[test]
    fn without_hope_of_a_checkpoint_nobody_waits_for_one() {
        let views = views();
        publish(&views, 0..1, 1_000_000);
        views.stop_waiting();
        views.wait_for_room();
        views.stop(Stop::Cleanly);
        assert!(matches!(views.wait_for_work(), Work::Stop(Stop::Cleanly)));
    }

    #[test]
    fn writing_waits_for_the_checkpoint_when_it_is_far_ahead() {
        let views = Arc::new(views());
        publish(&views, 0..1, 5000);
        let writer = views.clone();
        let writer = std::thread::spawn(move || {
            writer.wait_for_room();
            lock(&writer.state).appended
        });
        assert!(matches!(views.wait_for_work(), Work::Checkpoint(_)));
        views.checkpointed(Base::empty());
        assert_eq!(writer.join().unwrap(), 0);
    }
}
