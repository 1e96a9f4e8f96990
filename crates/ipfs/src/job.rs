use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    ApplyError, CommitError, Durability, Poison,
    group::{Group, GroupFault, MAX_JOB},
};

/// A queued write.
pub(crate) struct Job {
    pub(crate) durability: Durability,
    work: Box<dyn Work>,
    /// The job's place in the queue, free again once it runs.
    _place: Option<OwnedSemaphorePermit>,
}

/// Why a job was not run, or not kept though it succeeded.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    Poisoned(Poison),
    Closed(PathBuf),
}

/// What came of running a job.
pub(crate) struct RanJob {
    pub(crate) answer: Box<dyn Answer>,
    /// Whether the job succeeded: its caller wants to hear that it is durable.
    pub(crate) succeeded: bool,
}

trait Work: Send {
    fn run(self: Box<Self>, group: Group<'_>) -> RanJob;
    fn refuse(self: Box<Self>, why: Refusal);
}

/// A caller that waits for its group to be committed.
pub(crate) trait Answer: Send {
    fn send(self: Box<Self>, committed: Result<(), Refusal>);
}

struct TypedWork<T, E, F> {
    job: F,
    caller: Caller<T, E>,
}

struct TypedAnswer<T, E> {
    result: Result<T, CommitError<E>>,
    caller: Caller<T, E>,
}

type Caller<T, E> = oneshot::Sender<Result<T, CommitError<E>>>;

impl Job {
    pub(crate) fn new<T, E, F>(durability: Durability, job: F, caller: Caller<T, E>) -> Job
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Group<'_>) -> Result<T, E> + Send + 'static,
    {
        Job { durability, work: Box::new(TypedWork { job, caller }), _place: None }
    }

    pub(crate) fn with_place(mut self, place: OwnedSemaphorePermit) -> Job {
        self._place = Some(place);
        self
    }

    pub(crate) fn run(self, group: Group<'_>) -> RanJob {
        self.work.run(group)
    }

    pub(crate) fn refuse(self, why: Refusal) {
        self.work.refuse(why);
    }
}

impl<E> From<Refusal> for CommitError<E> {
    fn from(refusal: Refusal) -> CommitError<E> {
        match refusal {
            Refusal::Poisoned(poison) => CommitError::Poisoned(poison),
            Refusal::Closed(path) => CommitError::Closed { path },
        }
    }
}

impl<T, E, F> Work for TypedWork<T, E, F>
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&mut Group<'_>) -> Result<T, E> + Send + 'static,
{
    fn run(self: Box<Self>, mut group: Group<'_>) -> RanJob {
        let TypedWork { job, caller } = *self;
        // What the job left of the group is dropped, so nothing half-done is seen afterwards.
        let result = match catch_unwind(AssertUnwindSafe(|| job(&mut group))) {
            Ok(Ok(value)) => match group.fault.take() {
                None => Ok(value),
                Some(fault) => Err(fault.into()),
            },
            Ok(Err(error)) => Err(CommitError::Job(error)),
            Err(panic) => Err(CommitError::Panicked { message: panic_message(&*panic) }),
        };
        match &result {
            Ok(_) => group.keep(),
            Err(_) => group.discard(),
        }
        RanJob { succeeded: result.is_ok(), answer: Box::new(TypedAnswer { result, caller }) }
    }

    fn refuse(self: Box<Self>, why: Refusal) {
        // Nobody waits any more if the caller dropped its future.
        let _ = self.caller.send(Err(why.into()));
    }
}

impl<T: Send, E: Send> Answer for TypedAnswer<T, E> {
    fn send(self: Box<Self>, committed: Result<(), Refusal>) {
        let result = match (self.result, committed) {
            (Ok(_), Err(refusal)) => Err(refusal.into()),
            (result, _) => result,
        };
        // As above.
        let _ = self.caller.send(result);
    }
}

impl<E> From<GroupFault> for CommitError<E> {
    fn from(fault: GroupFault) -> CommitError<E> {
        match fault {
            GroupFault::Apply(reason) => CommitError::Apply(ApplyError::Failed { reason }),
            GroupFault::Block(error) => CommitError::Block(error),
            GroupFault::TooLarge => CommitError::TooLarge { max: MAX_JOB },
            GroupFault::Misuse(rule) => CommitError::Misuse { rule },
        }
    }
}

/// The message of a panic, as far as it has one.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
