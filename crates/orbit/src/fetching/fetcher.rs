use super::{BlockSource, schedule::Schedule};
use crate::{DatabaseId, Hash, Node, ReadDocuments as _, Wanted};
use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// So many blocks are asked for at once.
const AT_ONCE: usize = 256;
/// So many of those that are wanted are looked at.
const LOOKED_AT: usize = 4096;
/// So many bytes are taken in one write.
const DELIVERY_BYTES: usize = 8 << 20;
/// One request takes at most so long.
const WITHIN: Duration = Duration::from_secs(30);

/// Fetches, in the background, what entries wait for that are held back: their ancestors, and identities. Writing, and
/// joining other entries, goes on meanwhile. Ends when it is dropped, or the node is closed.
pub struct Fetcher {
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Node {
    /// Has what entries wait for fetched from here, until the [`Fetcher`] is dropped: with retries, after longer and
    /// longer pauses. Several sources can be asked at once.
    ///
    /// # Errors
    /// If no thread can be started for it.
    pub fn fetch_from(&self, source: Arc<dyn BlockSource>) -> io::Result<Fetcher> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (stop, stopped) = oneshot::channel();
        let node = self.clone();
        let thread = thread::Builder::new().name("orbit fetcher".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = run(&node, &*source) => {}
                    // stopped, or dropped
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Fetcher { stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) })
    }
}

impl Fetcher {
    /// Ends it, and waits until it has.
    pub fn stop(&self) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // a panic of the source ends the thread, and nothing else
            let _ = thread.join();
        }
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

/// Until the node is closed.
async fn run(node: &Node, source: &dyn BlockSource) {
    let began = Instant::now();
    let mut schedule = Schedule::default();
    let mut commits = node.commits();
    loop {
        commits.borrow_and_update();
        let Ok(snapshot) = node.snapshot() else { return };
        let Ok(wanted) = snapshot.wanted(None, LOOKED_AT) else { return };
        drop(snapshot);
        let due = schedule.due(&wanted, began.elapsed(), AT_ONCE);
        if !due.is_empty() {
            if !fetch(node, source, &due, &mut schedule, began).await {
                return;
            }
            continue;
        }
        let pause = schedule.pause(began.elapsed());
        tokio::select! {
            changed = commits.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
    }
}

/// False when the node was closed.
async fn fetch(node: &Node, source: &dyn BlockSource, due: &[Wanted], schedule: &mut Schedule, began: Instant) -> bool {
    let hashes: Vec<Hash> = due.iter().map(Wanted::hash).collect();
    let found = tokio::time::timeout(WITHIN, source.fetch(&hashes)).await.unwrap_or_default();
    let mut found: HashMap<Hash, Vec<u8>> =
        found.into_iter().filter(|(hash, block)| Hash::of(block) == *hash).collect();
    let mut identities = Vec::new();
    let mut entries: BTreeMap<DatabaseId, Vec<Vec<Vec<u8>>>> = BTreeMap::new();
    for wanted in due {
        let Some(block) = found.remove(&wanted.hash()) else {
            schedule.not_found(wanted.hash(), began.elapsed());
            continue;
        };
        match wanted {
            Wanted::Identity(_) => identities.push(block),
            Wanted::Entry(database, _) => {
                let deliveries: &mut Vec<Vec<Vec<u8>>> = entries.entry(*database).or_default();
                let full = |delivery: &Vec<Vec<u8>>| delivery.iter().map(Vec::len).sum::<usize>() >= DELIVERY_BYTES;
                match deliveries.last_mut().filter(|last| !full(last)) {
                    Some(last) => last.push(block),
                    None => deliveries.push(vec![block]),
                }
            }
        }
    }
    let from = source.name();
    let is_open = || node.snapshot().is_ok();
    if !identities.is_empty() {
        match node.add_identities(identities).await {
            Ok(bad) => bad.into_iter().for_each(|(hash, _)| schedule.not_found(hash, began.elapsed())),
            Err(_) if !is_open() => return false,
            Err(_) => due.iter().for_each(|wanted| schedule.not_found(wanted.hash(), began.elapsed())),
        }
    }
    let deliveries =
        entries.into_iter().flat_map(|(database, all)| all.into_iter().map(move |entries| (database, entries)));
    for (database, entries) in deliveries {
        let asked: Vec<Hash> = entries.iter().map(|entry| Hash::of(entry)).collect();
        match node.receive(database, &from, Vec::new(), entries).await {
            Ok(receipt) => {
                // what was found and is of no use is not asked for at once again
                for (hash, _) in receipt.not_kept {
                    schedule.not_found(hash, began.elapsed());
                }
            }
            Err(_) if !is_open() => return false,
            Err(_) => asked.iter().for_each(|hash| schedule.not_found(*hash, began.elapsed())),
        }
    }
    true
}
