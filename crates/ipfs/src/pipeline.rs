use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

use crate::{
    Durability,
    group::InFlight,
    job::{Answer, Job},
    locked::lock,
};

/// The queue of jobs, and the desk over which the writer hands groups to the committer.
#[derive(Debug)]
pub(crate) struct Pipeline {
    state: Mutex<State>,
    /// The writer waits here: for jobs, and for the committer.
    writer: Condvar,
    /// The committer waits here for groups.
    committer: Condvar,
    /// Free places of the queue.
    pub(crate) places: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// No more jobs are taken.
    closing: bool,
    handed_over: Option<ClosedGroup>,
    /// A group is being committed, by whichever thread.
    committing: bool,
    committer_stops: bool,
}

/// A group whose jobs have run.
pub(crate) struct ClosedGroup {
    pub(crate) group: Arc<InFlight>,
    pub(crate) ops: Vec<Vec<u8>>,
    pub(crate) durability: Durability,
    pub(crate) answers: Vec<Box<dyn Answer>>,
}

/// What the writer does after a job.
pub(crate) enum Then {
    /// Run this one in the same group: the committer is still busy with the last group.
    Run(Job),
    /// Commit the group itself: nothing else is waiting, so handing over would only cost time.
    CommitHere,
    /// Hand the group over to the committer, and go on with the jobs that wait.
    HandOver,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("jobs", &self.jobs.len()).field("closing", &self.closing).finish_non_exhaustive()
    }
}

impl Pipeline {
    pub(crate) fn new(places: usize) -> Pipeline {
        Pipeline {
            state: Mutex::default(),
            writer: Condvar::new(),
            committer: Condvar::new(),
            places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    /// Queues a job, or gives it back when no more are taken.
    pub(crate) fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if state.closing {
            return Err(job);
        }
        state.jobs.push_back(job);
        self.writer.notify_one();
        Ok(())
    }

    /// The first job of a group; `None` when there will be no more.
    pub(crate) fn next_job(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closing {
                return None;
            }
            state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What the writer does with a group that has jobs. `full`: it takes no more.
    pub(crate) fn after_job(&self, full: bool) -> Then {
        let mut state = lock(&self.state);
        loop {
            if !state.committing {
                state.committing = true;
                return if state.jobs.is_empty() { Then::CommitHere } else { Then::HandOver };
            }
            if !full && let Some(job) = state.jobs.pop_front() {
                return Then::Run(job);
            }
            state = self.writer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn hand_over(&self, group: ClosedGroup) {
        lock(&self.state).handed_over = Some(group);
        self.committer.notify_one();
    }

    /// The next group for the committer; `None` when there will be no more.
    pub(crate) fn next_group(&self) -> Option<ClosedGroup> {
        let mut state = lock(&self.state);
        loop {
            if let Some(group) = state.handed_over.take() {
                return Some(group);
            }
            if state.committer_stops {
                return None;
            }
            state = self.committer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The group under commit is done with.
    pub(crate) fn committed(&self) {
        lock(&self.state).committing = false;
        self.writer.notify_one();
    }

    /// Takes no more jobs. Those that are queued still run.
    pub(crate) fn close(&self) {
        lock(&self.state).closing = true;
        self.places.close();
        self.writer.notify_one();
    }

    /// Lets the committer end once nothing is handed over any more.
    pub(crate) fn stop_committer(&self) {
        lock(&self.state).committer_stops = true;
        self.committer.notify_one();
    }

    /// After a thread died: takes no more jobs, and gives back those that will not run.
    pub(crate) fn abandon(&self) -> Vec<Job> {
        self.close();
        let mut state = lock(&self.state);
        state.committing = false;
        state.committer_stops = true;
        self.committer.notify_one();
        state.jobs.drain(..).collect()
    }
}
