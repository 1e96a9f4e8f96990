use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::{TryAcquireError, oneshot, watch};

use crate::{
    Apply, CommitError, CommittedGroup, DiskError, Durability, Group, OpenError, Recovery, Report, Rewritten, Snapshot,
    StoreError, StoreOptions,
    block::sha256,
    checkpointer::Checkpointer,
    committer,
    folder::Folder,
    job::{Job, Refusal, panic_message},
    lock::FolderLock,
    locked::lock,
    pipeline::Pipeline,
    recovery::{Recovered, recover},
    rewriting::rewrite,
    shared::Shared,
    verify::verify,
    views::{Stop, Views},
    writer::Writer,
};

/// The embedded store: blocks in segment files, which are the truth, and ordered tables of state that follows from
/// them. One process holds a data folder at a time; the store is cheap to clone, and every clone is the same store.
///
/// When the last clone is dropped without [`Store::close`], what is queued is still committed and the folder is let go,
/// but the next open replays what no checkpoint has covered yet. Snapshots give errors from then on.
#[derive(Clone)]
pub struct Store {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    recovery: Recovery,
    threads: Mutex<Option<Threads>>,
    /// Becomes true when the store has ended.
    ended: watch::Sender<bool>,
    /// Why it did not end well, for the first who asks.
    end_error: Mutex<Option<StoreError>>,
}

struct Threads {
    writer: JoinHandle<()>,
    committer: JoinHandle<()>,
    checkpointer: JoinHandle<Result<(), StoreError>>,
    lock: FolderLock,
}

impl Store {
    /// Opens a data folder, which is created if it does not exist, and brings its state up to its segments. Blocks for
    /// as long as that takes: a moment after a clean close, a fraction of a second after a crash, longer when the state
    /// must be built anew.
    pub fn open(dir: &Path, options: StoreOptions, apply: Arc<dyn Apply>) -> Result<Store, OpenError> {
        let folder = Folder::open(dir)?;
        let fingerprint = apply.fingerprint();
        let Recovered { segments, state, view, appended, log, to_seal, recovery } =
            recover(&folder, &options, &apply, &fingerprint)?;
        let end = view.end.place();
        let folder_lock = folder.recovered()?;
        let shared = Arc::new(Shared {
            folder: dir.to_path_buf(),
            apply,
            fingerprint,
            segments,
            pipeline: Pipeline::new(options.queue),
            views: Views::new(view, appended, &options),
            log: Mutex::new(log),
            poison: OnceLock::new(),
            closed: AtomicBool::new(false),
            durable: AtomicU64::new(0),
            segment_ends: AtomicBool::new(false),
            rewriting: RwLock::default(),
            verifying: watch::Sender::new(0),
            options,
        });
        let threads = start(&shared, state, to_seal, end, folder_lock)?;
        Ok(Store {
            handle: Arc::new(Handle {
                shared,
                recovery,
                threads: Mutex::new(Some(threads)),
                ended: watch::Sender::new(false),
                end_error: Mutex::new(None),
            }),
        })
    }

    /// What opening the folder had to put right.
    pub fn recovery(&self) -> &Recovery {
        &self.handle.recovery
    }

    /// Queues a job, and gives its result once the group that it became part of is committed as `durability` asks.
    ///
    /// Jobs run one after the other, in the order in which they were queued, on a thread of the store. A job is queued
    /// when this is called; only when the queue is full ([`StoreOptions::queue`]) it waits until the future is polled
    /// and a place is free. A job that was queued runs even if the future is dropped.
    ///
    /// A job sees what all jobs before it did. If it returns an error, or panics, nothing of it is kept. A job that
    /// changes nothing is answered all the same once everything before it is as durable as it asks.
    pub fn commit<T, E, F>(
        &self,
        durability: Durability,
        job: F,
    ) -> impl Future<Output = Result<T, CommitError<E>>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Group<'_>) -> Result<T, E> + Send + 'static,
    {
        let shared = self.handle.shared.clone();
        let (caller, result) = oneshot::channel();
        let job = Job::new(durability, job, caller);
        let waiting = match shared.pipeline.places.clone().try_acquire_owned() {
            Ok(place) => {
                push(&shared, job.with_place(place));
                None
            }
            Err(TryAcquireError::NoPermits) => Some(job),
            Err(TryAcquireError::Closed) => {
                push(&shared, job);
                None
            }
        };
        async move {
            if let Some(job) = waiting {
                match shared.pipeline.places.clone().acquire_owned().await {
                    Ok(place) => push(&shared, job.with_place(place)),
                    Err(_closed) => push(&shared, job),
                }
            }
            // The sender is dropped unsent only if a thread of the store died.
            result.await.unwrap_or_else(|_| Err(refusal(&shared).into()))
        }
    }

    /// A consistent state to read from: of the last write that was answered, or later.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let shared = self.handle.shared.clone();
        shared.check_open()?;
        let view = shared.views.current();
        Ok(Snapshot { shared, view })
    }

    /// The same, once everything that it holds is on the disk: what nobody can lose any more, so that others may be told of it.
    ///
    /// # Errors
    /// If the store fails, or was closed.
    pub async fn durable_snapshot(&self) -> Result<Snapshot, CommitError<StoreError>> {
        let snapshot = self.snapshot().map_err(CommitError::Job)?;
        if snapshot.view.end.sequence > self.handle.shared.durable.load(Ordering::Acquire) {
            // it is answered after everything before it
            self.commit(Durability::Local, |_| Ok::<_, StoreError>(())).await?;
        }
        Ok(snapshot)
    }

    /// Tells when something was committed, and when the store has ended: the receiver holds how many groups have been, since
    /// the store was made.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.handle.shared.views.commits()
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.handle.shared.folder
    }

    /// Eight bytes that tell this store from others where it must be named outside. They follow from its mark, which
    /// cannot be found out from them.
    pub fn tag(&self) -> [u8; 8] {
        let digest = sha256(&[b"tag of a store".as_slice(), self.handle.shared.segments.mark().bytes()].concat());
        let mut tag = [0; 8];
        tag.copy_from_slice(&digest[..8]);
        tag
    }

    /// Is this called on a thread of the store, that is, by a job? There nothing may wait for another job.
    pub fn runs_here(&self) -> bool {
        lock(&self.handle.threads).as_ref().is_some_and(|threads| threads.ids().contains(&thread::current().id()))
    }

    /// Checks the hash of every block and the chain of all journal records, and rebuilds the state from them beside the
    /// stored one, in a temporary file of the data folder, to compare them row by row. Blocks for as long as that takes;
    /// writing goes on meanwhile, and what is written after the call is not looked at.
    pub fn verify(&self) -> Result<Report, StoreError> {
        verify(&self.handle.shared)
    }

    /// The numbers of the segments that are full, after which others follow: those that can be [rewritten](Store::rewrite).
    pub fn full_segments(&self) -> Range<u32> {
        1..self.handle.shared.views.current().end.segment
    }

    /// How many bytes the file of a segment takes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn segment_len(&self, segment: u32) -> Result<u64, StoreError> {
        Ok(self.handle.shared.segments.disk_len(segment)?)
    }

    /// Ends the segment that is written: what is committed next begins another, whatever its size.
    pub fn end_segment(&self) {
        self.handle.shared.segment_ends.store(true, Ordering::Release);
    }

    /// Has a checkpoint made, until the state file has everything that a snapshot has: then nothing of it is ever replayed
    /// on top of an older state.
    ///
    /// # Errors
    /// If the store fails, or is closed meanwhile.
    pub async fn checkpoint(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let shared = &self.handle.shared;
        if let Some(poison) = shared.poison.get() {
            return Err(poison.clone().into());
        }
        shared.check_open()?;
        shared.views.saved(snapshot.view.end.sequence).await;
        match shared.poison.get() {
            Some(poison) => Err(poison.clone().into()),
            None => shared.check_open(),
        }
    }

    /// Waits until all snapshots are gone that were taken before this was called. While somebody holds one, it does not end.
    pub async fn older_snapshots_gone(&self) {
        self.handle.shared.views.older_gone().await;
    }

    /// Takes blocks out of a full segment for good, and gives their room back: `going` says which blocks of each group, by
    /// their index. What is committed, and every [`Position`](crate::Position), stays as it is; of these blocks, what framed them
    /// stays, so that what is there can still be checked, and their content is [gone](StoreError::Gone).
    ///
    /// State that is rebuilt finds [`Group::gone_block`] in their place, and must be the same. So nothing in it may follow from them
    /// any more, and the state file must know that: decide by a snapshot whose [checkpoint](Store::checkpoint) is made. Who has
    /// an older snapshot may still look for these blocks: see [`Store::older_snapshots_gone`].
    ///
    /// The segment is written beside the old one, checked, and put in its place in one step. Waits while somebody
    /// [verifies](Store::verify), and then blocks for as long as it takes to read and write a segment twice; writing goes on
    /// meanwhile. Nothing, for a segment that is not full.
    ///
    /// # Errors
    /// If the segment is damaged, or cannot be written anew; it is as it was, or as it will be. What `going` gives.
    pub async fn rewrite(
        &self,
        segment: u32,
        mut going: impl FnMut(&CommittedGroup) -> Result<Vec<u32>, StoreError>,
    ) -> Result<Rewritten, StoreError> {
        let shared = &self.handle.shared;
        let mut verifying = shared.verifying.subscribe();
        loop {
            // An error would mean that the sender is gone, which `self` holds.
            let _ = verifying.wait_for(|verifying| *verifying == 0).await;
            // one that has just begun is waited for, too
            if let Ok(_rewriting) = shared.rewriting.try_write() {
                return rewrite(shared, segment, &mut going).map_err(|error| shared.explain(error));
            }
            if *verifying.borrow_and_update() == 0 {
                // another rewrites, or poisoned the lock by a panic, which protects nothing but files that are replaced whole
                shared.rewriting.clear_poison();
                thread::yield_now();
            }
        }
    }

    /// Ends the store: takes no more writes, commits those that are queued, makes everything durable, ends the threads
    /// and lets the folder go. All clones and snapshots give [`StoreError::Closed`] from then on. Closing twice is no
    /// error. If this future is dropped the store ends all the same.
    pub async fn close(&self) -> Result<(), StoreError> {
        let mut ended = self.handle.ended.subscribe();
        let threads = lock(&self.handle.threads).take();
        if let Some(threads) = threads {
            let handle = self.handle.clone();
            let end = move || {
                let result = threads.end(&handle.shared, Stop::Cleanly);
                *lock(&handle.end_error) = result.err();
                handle.ended.send_replace(true);
            };
            // Without a thread to spare it is done here: blocking is better than losing the end.
            let end = Arc::new(Mutex::new(Some(end)));
            let in_thread = end.clone();
            let run = |end: &Mutex<Option<_>>| {
                if let Some(end) = lock(end).take() {
                    let end: Box<dyn FnOnce()> = Box::new(end);
                    end();
                }
            };
            if thread::Builder::new().name("store close".into()).spawn(move || run(&in_thread)).is_err() {
                run(&end);
            }
        }
        // An error would mean that the sender is gone, which `self` holds.
        let _ = ended.wait_for(|ended| *ended).await;
        match lock(&self.handle.end_error).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(threads) = lock(&self.threads).take() else { return };
        let here = thread::current().id();
        let shared = self.shared.clone();
        if threads.ids().contains(&here) {
            // The last handle went with a job: that thread cannot wait for itself.
            let ended =
                thread::Builder::new().name("store end".into()).spawn(move || threads.end(&shared, Stop::AtOnce));
            drop(ended);
        } else {
            // Nobody is left to tell. What was answered is in the segments.
            let _ = threads.end(&shared, Stop::AtOnce);
        }
    }
}

impl Threads {
    fn ids(&self) -> [thread::ThreadId; 3] {
        [self.writer.thread().id(), self.committer.thread().id(), self.checkpointer.thread().id()]
    }

    fn end(self, shared: &Shared, how: Stop) -> Result<(), StoreError> {
        shared.closed.store(true, Ordering::Release);
        shared.pipeline.close();
        // A thread that panicked has poisoned the store, and that is told below.
        let _ = self.writer.join();
        shared.pipeline.stop_committer();
        let _ = self.committer.join();
        shared.views.stop(how);
        let result = self.checkpointer.join().unwrap_or(Ok(()));
        // who is rewriting a segment sees that it is too late, before others may have the folder
        drop(shared.rewriting.write());
        drop(self.lock);
        shared.views.wake();
        match shared.poison.get() {
            Some(poison) => Err(poison.clone().into()),
            None => result,
        }
    }
}

fn push(shared: &Shared, job: Job) {
    if let Err(job) = shared.pipeline.push(job) {
        job.refuse(refusal(shared));
    }
}

/// Why no more jobs are run.
fn refusal(shared: &Shared) -> Refusal {
    match shared.poison.get() {
        Some(poison) => Refusal::Poisoned(poison.clone()),
        None => Refusal::Closed(shared.folder.clone()),
    }
}

fn start(
    shared: &Arc<Shared>,
    state: crate::state_file::StateFile,
    to_seal: Vec<u32>,
    end: (u32, u32),
    lock: FolderLock,
) -> Result<Threads, OpenError> {
    let writer = Writer::new(shared.clone(), end);
    let checkpointer = Checkpointer::new(shared.clone(), state, to_seal, end.0);
    let committing = shared.clone();
    // A thread that cannot be started ends those before it.
    let writer = spawn(shared, "store writer", (), move || writer.run())?;
    let committer = spawn(shared, "store committer", (), move || committer::run(&committing)).inspect_err(|_| {
        shared.pipeline.close();
    })?;
    let checkpointer = spawn(shared, "store checkpointer", Ok(()), move || checkpointer.run()).inspect_err(|_| {
        shared.pipeline.close();
        shared.pipeline.stop_committer();
    })?;
    Ok(Threads { writer, committer, checkpointer, lock })
}

/// Starts a thread whose panic ends writing, not the process: `died` is its result then.
fn spawn<T: Send + 'static>(
    shared: &Arc<Shared>,
    name: &'static str,
    died: T,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, DiskError> {
    let of_thread = shared.clone();
    let body = move || match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(panic) => {
            let message = panic_message(&*panic);
            let poison = of_thread.poison(StoreError::Internal { thread: name, message });
            for job in of_thread.pipeline.abandon() {
                job.refuse(Refusal::Poisoned(poison.clone()));
            }
            died
        }
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(DiskError::at("starting a thread for", &shared.folder))
}
