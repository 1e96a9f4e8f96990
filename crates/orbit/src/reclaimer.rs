//! [`Reclaimer`]: gives the room of databases that were dropped back to the disk.

use crate::{
    DatabaseId,
    journal_op::JournalOp,
    state::{StateError, dead, gone},
};
use debros_ipfs::{CommittedGroup, Durability, Position, Snapshot, Store, StoreError};
use futures::future::{self, Either};
use std::{
    collections::HashMap,
    ops::Range,
    pin::pin,
    sync::{Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
};
use tokio::sync::{oneshot, watch};

/// By itself a segment is written anew when this part of it at least is dead: one in so many bytes.
const WORTH_IT: u64 = 4;
/// A write that is under way may go on in the segment that is to end: then it is ended again, so often.
const ENDINGS: u32 = 8;

/// What [`Node::reclaim`](crate::Node::reclaim) gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reclaimed {
    /// Segment files that were written anew.
    pub segments: u64,
    /// Blocks that were taken out of them.
    pub blocks: u64,
    /// Bytes that they take less.
    pub bytes: u64,
}

/// Why room was not given back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReclaimError {
    /// A segment could not be written anew, and is as it was, or as it was to be; or the node was closed.
    #[error("the room of databases that were dropped was not given back: {0}")]
    Store(#[from] StoreError),
    /// Nothing can be committed.
    #[error("the room of databases that were dropped was not given back: {0}")]
    Commit(Box<dyn std::error::Error + Send + Sync>),
    /// State could not be read.
    #[error(transparent)]
    Read(#[from] crate::ReadError),
}

impl From<StateError> for ReclaimError {
    fn from(error: StateError) -> ReclaimError {
        ReclaimError::Read(error.into())
    }
}

/// Writes segments anew without what belonged to databases that were dropped: on a thread of its own, where that gives a good part
/// of a segment back, or all of it when it is asked for.
pub(crate) struct Reclaimer {
    store: Store,
    calls: Mutex<Option<mpsc::Sender<Call>>>,
    /// Becomes true when the node ends.
    ended: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What is asked of it.
enum Call {
    /// Give back what is worth it.
    WorthIt,
    /// Give back everything, and say what that was.
    All(oneshot::Sender<Result<Reclaimed, ReclaimError>>),
}

impl Reclaimer {
    /// Starts the thread.
    pub(crate) fn start(store: Store) -> std::io::Result<Reclaimer> {
        let (calls, called) = mpsc::channel();
        let ended = watch::Sender::new(false);
        let (end, theirs) = (ended.subscribe(), store.clone());
        let thread = thread::Builder::new().name("orbit reclaimer".to_owned()).spawn(move || {
            for call in called {
                let result = futures::executor::block_on(async {
                    let all = matches!(call, Call::All(_));
                    reclaim(&theirs, all, &end).await
                });
                match call {
                    // whoever does not wait any more hears nothing
                    Call::All(caller) => drop(caller.send(result)),
                    // it is tried again with the next call, and when the folder is opened
                    Call::WorthIt => drop(result),
                }
                if *end.borrow() {
                    break;
                }
            }
        })?;
        Ok(Reclaimer { store, calls: Mutex::new(Some(calls)), ended, thread: Mutex::new(Some(thread)) })
    }

    /// Something was dropped.
    pub(crate) fn call(&self) {
        self.send(Call::WorthIt);
    }

    /// Gives everything back that is dead.
    pub(crate) async fn all(&self) -> Result<Reclaimed, ReclaimError> {
        let (caller, answer) = oneshot::channel();
        self.send(Call::All(caller));
        // dropped when the thread ends
        answer.await.unwrap_or_else(|_| Err(closed(&self.store)))
    }

    fn send(&self, call: Call) {
        if let Some(calls) = &*self.calls.lock().unwrap_or_else(PoisonError::into_inner) {
            // the thread has ended with the node
            let _ = calls.send(call);
        }
    }

    /// Ends the thread, after the segment that it is at.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // it can only have panicked, and there is nothing to clean up
            let _ = thread.join();
        }
    }
}

impl Drop for Reclaimer {
    fn drop(&mut self) {
        if self.store.runs_here() {
            // a job cannot wait for one that waits for a job: the thread ends by itself
            self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        self.end();
    }
}

async fn reclaim(store: &Store, all: bool, end: &watch::Receiver<bool>) -> Result<Reclaimed, ReclaimError> {
    for _ in 0..ENDINGS {
        if !all || !has_dead_beyond(&store.snapshot()?, &store.full_segments())? {
            break;
        }
        store.end_segment();
        record(store, Vec::new()).await?;
    }
    let Some(Due { snapshot, segments, gone }) = due(store, all)? else { return Ok(Reclaimed::default()) };
    let mut ended = end.clone();
    let ready = async {
        // what is in the state file is not looked for any more when that is opened next
        let checkpoint = store.checkpoint(&snapshot).await;
        drop(snapshot);
        // who reads what was before may still need what is dead now
        store.older_snapshots_gone().await;
        checkpoint
    };
    match future::select(pin!(ready), pin!(ended.wait_for(|ended| *ended))).await {
        Either::Left((ready, _)) => ready?,
        Either::Right(_) => return Err(closed(store)),
    }
    let mut reclaimed = Reclaimed::default();
    let mut failed = None;
    for (segment, bytes) in segments {
        let dead_blocks = |group: &CommittedGroup| match *end.borrow() {
            true => Err(StoreError::Closed { path: store.folder().to_path_buf() }),
            false => Ok(dead_blocks(group, &gone)),
        };
        let rewritten = pin!(store.rewrite(segment, dead_blocks));
        let rewritten = match future::select(rewritten, pin!(ended.wait_for(|ended| *ended))).await {
            Either::Left((rewritten, _)) => rewritten,
            Either::Right(_) => return Err(closed(store)),
        };
        match rewritten {
            Ok(rewritten) => {
                record(store, vec![(segment, bytes)]).await?;
                reclaimed.segments += u64::from(rewritten.blocks > 0);
                reclaimed.blocks += rewritten.blocks;
                reclaimed.bytes += rewritten.bytes;
            }
            // others may be whole
            Err(error @ StoreError::Damaged(_)) => failed = failed.or(Some(error)),
            Err(error) => return Err(error.into()),
        }
    }
    failed.map_or(Ok(reclaimed), |error| Err(error.into()))
}

/// What is to be done.
struct Due {
    /// Of the state in which it is.
    snapshot: Snapshot,
    /// The segments, and how much of each is dead.
    segments: Vec<(u32, u64)>,
    /// The databases that were dropped, and where their logs ended.
    gone: HashMap<DatabaseId, Position>,
}

fn due(store: &Store, all: bool) -> Result<Option<Due>, ReclaimError> {
    let snapshot = store.snapshot()?;
    let full = store.full_segments();
    let mut segments = Vec::new();
    for (segment, dead) in dead(&snapshot)? {
        if full.contains(&segment) && (all || dead.left() >= store.segment_len(segment)? / WORTH_IT) {
            segments.push((segment, dead.bytes));
        }
    }
    if segments.is_empty() {
        return Ok(None);
    }
    let gone = gone(&snapshot)?;
    Ok(Some(Due { snapshot, segments, gone }))
}

/// Whether something is dead in the segment that is still written.
fn has_dead_beyond(snapshot: &Snapshot, full: &Range<u32>) -> Result<bool, ReclaimError> {
    Ok(dead(snapshot)?.iter().any(|(segment, _)| !full.contains(segment)))
}

fn closed(store: &Store) -> ReclaimError {
    StoreError::Closed { path: store.folder().to_path_buf() }.into()
}

/// Records what was done.
async fn record(store: &Store, segments: Vec<(u32, u64)>) -> Result<(), ReclaimError> {
    let op = JournalOp::SegmentsRewritten { segments }.to_bytes();
    let recorded = store.commit(Durability::Buffered, |group| group.journal(op));
    recorded.await.map_err(|error| ReclaimError::Commit(Box::new(error)))
}

/// The blocks of a group that belong to logs that have ended.
fn dead_blocks(group: &CommittedGroup, gone: &HashMap<DatabaseId, Position>) -> Vec<u32> {
    let dead = group.ops().iter().filter_map(|op| match JournalOp::from_bytes(op) {
        Ok(JournalOp::EntryAccepted { database, block, .. } | JournalOp::EntryHeld { database, block, .. }) => {
            let (_, _, position) = group.block(block)?;
            (position < *gone.get(&database)?).then_some(block)
        }
        // what is not understood keeps what it may be about
        _ => None,
    });
    dead.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DatabaseSpec, Entry, NoSchema, Node, NodeOptions, ReadDocuments as _, WriteError};
    use debros_core::Map;
    use futures::executor::block_on;
    use std::sync::Arc;

    #[test]
    fn where_a_part_of_a_log_is_left_that_had_more_rows_they_all_go() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [here, there] =
            [0, 1].map(|n: usize| Node::open(folders[n].path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap());
        let open = |node: &Node| {
            let spec = DatabaseSpec::documents("notes", ["*"]);
            block_on(node.write(Durability::Buffered, move |writer| writer.open(&spec))).unwrap()
        };
        let (mine, theirs) = (open(&here), open(&there));
        let who = there.identity("somebody").unwrap();
        let identity = who.bytes().to_vec();
        // all of one key, so that in the end they are one row
        let filled = there.write(Durability::Buffered, move |writer| {
            for _ in 0..700 {
                writer.put(theirs, &who, Map::from_iter([("_id", debros_core::Value::from("one"))]))?;
            }
            Ok::<_, WriteError>(())
        });
        block_on(filled).unwrap();
        let mut entries = Vec::new();
        let snapshot = there.snapshot().unwrap();
        let mut next = snapshot.heads(theirs).unwrap();
        while let Some(hash) = next.pop() {
            let block = snapshot.block(&hash).unwrap().unwrap().to_vec();
            next.extend(Entry::decode(&block).unwrap().next());
            entries.push(block);
        }
        let first = entries.pop().unwrap();
        // while the first is missing, there are two rows for each that waits
        let receive = |entries| block_on(here.receive(mine, "a peer", vec![identity.clone()], entries)).unwrap();
        assert_eq!(receive(entries).held.len(), 699);
        here.store().end_segment();
        assert_eq!(receive(vec![first]).joined, 1);
        block_on(here.settle());
        assert_eq!(here.snapshot().unwrap().entries(mine).unwrap(), 700);
        here.store().end_segment();
        block_on(here.drop_database(mine)).unwrap();
        let snapshot = here.store().snapshot().unwrap();
        block_on(here.store().checkpoint(&snapshot)).unwrap();
        let gone = gone(&snapshot).unwrap();
        // those that wait stay in their segment
        let rewritten = block_on(here.store().rewrite(2, |group| Ok(dead_blocks(group, &gone)))).unwrap();
        assert_eq!(rewritten.blocks, 1);
        let report = here.verify().unwrap();
        assert!(report.is_clean() && report.gone == 1, "{report}");
        block_on(here.close()).unwrap();
    }
}
