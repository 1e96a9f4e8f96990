use super::standing::is_new;
use crate::{DatabaseInfo, Encryption, Entry, Hash, ReadError, Snapshot, Wanted};
use debros_ipfs::Bytes;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

/// So many blocks are waited for at a time.
const AT_A_TIME: usize = 64;
/// Half of that, of blocks that have been waited for in vain: others are not to wait behind them.
const IN_VAIN: usize = AT_A_TIME / 2;
/// So long a block is waited for, the first time and later.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));
/// The first pause before a block is asked for again, doubled until the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(300));
/// Nodes of our kind send what is missing by themselves; so long they are waited for, before anyone is asked for a block.
const BY_ITSELF: Duration = Duration::from_millis(500);
/// What was fetched is stored when it is so much, or nothing more has come for so long.
const BATCH_ENTRIES: usize = 1024;
const BATCH_BYTES: usize = 2 << 20;
const GATHER: Duration = Duration::from_millis(300);
/// So many ancestors of what was just fetched wait to be fetched.
const QUEUE: usize = 65_536;

/// Decides which blocks a database asks peers for, and when. It does no I/O: it is told what is wanted and what has come,
/// and says what is to be fetched and what is to be stored.
#[derive(Debug, Default)]
pub(super) struct FetchPlan {
    /// How often a block was asked for, and when it may be again.
    tries: HashMap<Hash, (u32, Instant)>,
    /// Each block once: the queues hold those that were not asked for in vain, and those that were.
    fresh: VecDeque<Wanted>,
    again: VecDeque<Wanted>,
    /// Those of the queues, under way, and of the batch.
    seen: HashSet<Hash>,
    under_way: usize,
    in_vain: usize,
    batch: Batch,
    /// When the batch is stored, if nothing more comes.
    gathered: Option<Instant>,
}

/// A block that is to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fetch {
    pub(super) wanted: Wanted,
    /// So long.
    pub(super) patience: Duration,
    in_vain: bool,
}

/// What was fetched and is to be stored.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) identities: Vec<Vec<u8>>,
    pub(super) entries: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    bytes: usize,
}

impl FetchPlan {
    /// Somebody new may have what nobody had.
    pub(super) fn hope(&mut self, now: Instant) {
        self.tries.values_mut().for_each(|(_, again)| *again = now);
    }

    /// These are wanted now. `comes`: are there peers that send it by themselves?
    pub(super) fn wanted(&mut self, wanted: Vec<Wanted>, comes: bool, now: Instant) {
        let hashes: HashSet<Hash> = wanted.iter().map(Wanted::hash).collect();
        let seen = &self.seen;
        self.tries.retain(|hash, _| hashes.contains(hash) || seen.contains(hash));
        for wanted in wanted {
            match self.tries.get(&wanted.hash()) {
                None if comes => drop(self.tries.insert(wanted.hash(), (0, now + BY_ITSELF))),
                None => self.push(wanted, false),
                Some((tries, again)) if *again <= now => self.push(wanted, *tries > 0),
                Some(_) => {}
            }
        }
    }

    /// What is to be fetched next; `None`, if that is enough for now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Fetch> {
        if self.under_way >= AT_A_TIME {
            return None;
        }
        let fetch = match self.fresh.pop_front() {
            Some(wanted) => Fetch { wanted, patience: PATIENCE.0, in_vain: false },
            None if self.in_vain < IN_VAIN => {
                Fetch { wanted: self.again.pop_front()?, patience: PATIENCE.1, in_vain: true }
            }
            None => return None,
        };
        self.under_way += 1;
        self.in_vain += usize::from(fetch.in_vain);
        // it may take so long
        let tries = self.tries.entry(fetch.wanted.hash()).or_insert((0, now));
        *tries = (tries.0.saturating_add(1), now + fetch.patience + pause(tries.0));
        Some(fetch)
    }

    /// It has come, and it builds on these.
    pub(super) fn found(&mut self, fetch: &Fetch, block: &Bytes, builds_on: Vec<Wanted>, now: Instant) {
        self.ended(fetch);
        for wanted in builds_on {
            if self.fresh.len() < QUEUE {
                self.push(wanted, false);
            }
        }
        let blocks = match fetch.wanted {
            Wanted::Entry(..) => &mut self.batch.entries,
            Wanted::Identity(_) => &mut self.batch.identities,
        };
        blocks.push(block.to_vec());
        self.batch.bytes += block.len();
        self.batch.hashes.push(fetch.wanted.hash());
        self.gathered = Some(now + GATHER);
    }

    /// Nobody had it.
    pub(super) fn not_found(&mut self, fetch: &Fetch, now: Instant) {
        self.ended(fetch);
        let hash = fetch.wanted.hash();
        self.seen.remove(&hash);
        if let Some((tries, again)) = self.tries.get_mut(&hash) {
            *again = now + pause(tries.saturating_sub(1));
        }
    }

    /// What is to be stored by now. Afterwards it is [`FetchPlan::stored`].
    pub(super) fn batch(&mut self, now: Instant) -> Option<Batch> {
        let gathered = self.gathered?;
        let is_due = self.under_way == 0 || self.batch.is_full() || gathered <= now;
        is_due.then(|| {
            self.gathered = None;
            std::mem::take(&mut self.batch)
        })
    }

    /// When something that was fetched is to be stored, although more is under way.
    pub(super) fn gathered(&self) -> Option<Instant> {
        self.gathered
    }

    /// It was stored. What is wanted of it still is asked for again.
    pub(super) fn stored(&mut self, batch: &[Hash]) {
        for hash in batch {
            self.seen.remove(hash);
        }
    }

    /// Is nothing being fetched?
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// When something may be asked for again.
    pub(super) fn again(&self) -> Option<Instant> {
        self.tries.values().map(|(_, again)| *again).min()
    }

    fn push(&mut self, wanted: Wanted, in_vain: bool) {
        if self.seen.insert(wanted.hash()) {
            let queue = if in_vain { &mut self.again } else { &mut self.fresh };
            queue.push_back(wanted);
        }
    }

    fn ended(&mut self, fetch: &Fetch) {
        self.under_way -= 1;
        self.in_vain -= usize::from(fetch.in_vain);
    }
}

impl Batch {
    /// The names of its blocks.
    pub(super) fn take_hashes(&mut self) -> Vec<Hash> {
        std::mem::take(&mut self.hashes)
    }

    fn is_full(&self) -> bool {
        self.entries.len() + self.identities.len() >= BATCH_ENTRIES || self.bytes >= BATCH_BYTES
    }
}

/// How long after so many tries.
fn pause(tries: u32) -> Duration {
    PAUSE.0.saturating_mul(1 << tries.min(16)).min(PAUSE.1)
}

/// What is not here of what an entry builds on that was fetched.
pub(super) fn builds_on(
    snapshot: &Snapshot,
    info: &DatabaseInfo,
    encryption: &Encryption,
    block: &Bytes,
) -> Result<Vec<Wanted>, ReadError> {
    let mut wanted = Vec::new();
    // what cannot be opened is kept, and leads nowhere
    let opened = encryption.open_block(block).unwrap_or_default();
    let links = Entry::links_of(&opened);
    for link in links.next.into_iter().chain(links.refs) {
        // what cannot be read now is found missing, or not, by the next look
        if is_new(snapshot, info, &link).unwrap_or(false) {
            wanted.push(Wanted::Entry(info.id, link));
        }
    }
    if let Ok(entry) = Entry::decode(&opened) {
        let identity = entry.identity();
        if snapshot.core.author_of(&snapshot.state, &identity)?.is_none() {
            wanted.push(Wanted::Identity(identity));
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DatabaseId;

    fn entry(n: u32) -> Wanted {
        Wanted::Entry(DatabaseId(1), Hash::of(&n.to_be_bytes()))
    }

    fn all(plan: &mut FetchPlan, now: Instant) -> Vec<Fetch> {
        std::iter::from_fn(|| plan.next(now)).collect()
    }

    #[test]
    fn what_nobody_has_is_asked_for_less_and_less() {
        let (mut plan, mut now) = (FetchPlan::default(), Instant::now());
        for pause in [500, 1000, 2000, 4000] {
            plan.wanted(vec![entry(1)], false, now);
            let [fetch] = all(&mut plan, now)[..] else { panic!("one block is wanted") };
            plan.wanted(vec![entry(1)], false, now + fetch.patience);
            assert_eq!(plan.next(now + fetch.patience), None, "it is under way");
            plan.not_found(&fetch, now);
            assert_eq!(plan.again(), Some(now + Duration::from_millis(pause)));
            now += Duration::from_millis(pause);
        }
        // somebody new is there
        plan.wanted(vec![entry(1)], false, now);
        let [fetch] = all(&mut plan, now)[..] else { panic!("one block is wanted") };
        plan.not_found(&fetch, now);
        plan.hope(now);
        plan.wanted(vec![entry(1)], false, now);
        assert_eq!(all(&mut plan, now).len(), 1);
    }

    #[test]
    fn what_comes_by_itself_is_waited_for() {
        let (mut plan, now) = (FetchPlan::default(), Instant::now());
        plan.wanted(vec![entry(1)], true, now);
        assert_eq!((plan.next(now), plan.again()), (None, Some(now + BY_ITSELF)));
        plan.wanted(vec![entry(1)], true, now + BY_ITSELF);
        assert_eq!(all(&mut plan, now + BY_ITSELF).len(), 1);
        // it was not the same
        let (mut plan, now) = (FetchPlan::default(), Instant::now());
        plan.wanted(vec![entry(1)], true, now);
        plan.wanted(vec![], true, now);
        assert_eq!(plan.again(), None);
    }

    #[test]
    fn those_that_nobody_has_leave_room_for_others() {
        let (mut plan, now) = (FetchPlan::default(), Instant::now());
        let in_vain: Vec<Wanted> = (0..200).map(entry).collect();
        plan.wanted(in_vain.clone(), false, now);
        while let Some(fetch) = plan.next(now) {
            plan.not_found(&fetch, now);
        }
        let later = now + PAUSE.1;
        plan.wanted(in_vain, false, later);
        assert_eq!(all(&mut plan, later).len(), IN_VAIN);
        plan.wanted((0..300).map(entry).collect(), false, later);
        let fresh = all(&mut plan, later);
        assert_eq!(fresh.len(), AT_A_TIME - IN_VAIN);
        assert!(fresh.iter().all(|fetch| !fetch.in_vain));
    }

    #[test]
    fn what_has_come_is_stored_together() {
        let (mut plan, now) = (FetchPlan::default(), Instant::now());
        plan.wanted(vec![entry(1), entry(2)], false, now);
        let fetches = all(&mut plan, now);
        assert!(plan.batch(now).is_none());
        plan.found(&fetches[0], &Bytes::from_static(b"one"), vec![entry(3)], now);
        let [ancestor] = all(&mut plan, now)[..] else { panic!("what it builds on is fetched at once") };
        assert!(plan.batch(now).is_none(), "more is under way");
        assert!(plan.batch(now + GATHER).is_some_and(|batch| batch.entries.len() == 1));
        plan.found(&ancestor, &Bytes::from_static(b"three"), vec![], now + GATHER);
        plan.not_found(&fetches[1], now + GATHER);
        let mut batch = plan.batch(now + GATHER).unwrap();
        assert_eq!(batch.entries, [b"three".to_vec()]);
        // it may have to come again
        plan.wanted(vec![entry(3)], false, now + 2 * PAUSE.1);
        assert_eq!(plan.next(now), None);
        plan.stored(&batch.take_hashes());
        plan.wanted(vec![entry(3)], false, now + 2 * PAUSE.1);
        assert_eq!(all(&mut plan, now).len(), 1);
    }
}
