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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{group_blocks::GroupBlocks, job::Refusal};
    use tokio::sync::oneshot;

    fn job() -> Job {
        let (caller, _) = oneshot::channel::<Result<(), crate::CommitError<()>>>();
        Job::new(Durability::Local, |_| Ok(()), caller)
    }

    fn group() -> ClosedGroup {
        let group = InFlight { changes: Arc::default(), blocks: Arc::new(GroupBlocks::new(1, 58)) };
        ClosedGroup { group: Arc::new(group), ops: Vec::new(), durability: Durability::Local, answers: Vec::new() }
    }

    #[test]
    fn jobs_gather_in_a_group_while_the_one_before_is_committed() {
        let pipeline = Pipeline::new(10);
        for _ in 0..4 {
            assert!(pipeline.push(job()).is_ok());
        }
        assert!(pipeline.next_job().is_some());
        assert!(matches!(pipeline.after_job(false), Then::HandOver), "others wait, and the committer is free");
        pipeline.hand_over(group());
        assert!(pipeline.next_job().is_some());
        assert!(matches!(pipeline.after_job(false), Then::Run(_)), "the committer is busy");
        assert!(pipeline.next_group().is_some());
        assert!(matches!(pipeline.after_job(false), Then::Run(_)), "and still is");
        pipeline.committed();
        assert!(matches!(pipeline.after_job(false), Then::CommitHere), "nothing waits");
        pipeline.committed();
    }

    #[test]
    fn a_full_group_takes_no_more_jobs() {
        let pipeline = Arc::new(Pipeline::new(10));
        assert!(pipeline.push(job()).is_ok() && pipeline.push(job()).is_ok());
        pipeline.next_job();
        assert!(matches!(pipeline.after_job(true), Then::HandOver));
        pipeline.hand_over(group());
        pipeline.next_job();
        assert!(pipeline.push(job()).is_ok());
        // It waits for the committer although a job waits.
        let waiting = pipeline.clone();
        let writer = std::thread::spawn(move || matches!(waiting.after_job(true), Then::HandOver));
        assert!(pipeline.next_group().is_some());
        pipeline.committed();
        assert!(writer.join().unwrap());
    }

    #[test]
    fn closing_takes_no_more_jobs_and_gives_out_those_that_wait() {
        let pipeline = Pipeline::new(10);
        assert!(pipeline.push(job()).is_ok());
        pipeline.close();
        let refused = pipeline.push(job());
        assert!(refused.is_err());
        refused.unwrap_or_else(|job| job.refuse(Refusal::Closed("x".into())));
        assert!(pipeline.next_job().is_some());
        assert!(pipeline.next_job().is_none());
        pipeline.hand_over(group());
        pipeline.stop_committer();
        assert!(pipeline.next_group().is_some());
        assert!(pipeline.next_group().is_none());
        assert!(pipeline.places.clone().try_acquire_owned().is_err());
    }

    #[test]
    fn abandoning_gives_back_what_waits_and_holds_up_nobody() {
        let pipeline = Pipeline::new(10);
        for _ in 0..3 {
            assert!(pipeline.push(job()).is_ok());
        }
        pipeline.next_job();
        assert!(matches!(pipeline.after_job(false), Then::HandOver));
        assert_eq!(pipeline.abandon().len(), 2);
        assert!(pipeline.next_job().is_none());
        assert!(matches!(pipeline.after_job(true), Then::CommitHere));
        assert!(pipeline.next_group().is_none());
    }
}
