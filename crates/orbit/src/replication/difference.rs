use super::clocks::Clocks;
use crate::{
    DatabaseInfo, Hash, Snapshot,
    entry::EntryParts,
    heads,
    state::{StateError, held},
};
use debros_ipfs::Position;
use std::{
    collections::{BinaryHeap, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// So many entries are told apart at a time: the oldest of them, which others build on. The rest follow in the next exchange.
const MOST: usize = 1 << 20;

/// What a peer lacks of a log: where its entries are, older ones first, and who wrote them, of whom the peer may lack that.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) entries: VecDeque<(Position, Option<u32>)>,
    pub(super) identities: Vec<Hash>,
}

/// Finds out what a peer lacks of a log.
///
/// It walks from the heads that the peer lacks, newest first, and ends where everything is known to be there: at entries that
/// the peer's clocks cover. If these are not all its clocks, also behind those entries and the peer's own heads. So it costs what is
/// different, and not what both have. A key with two histories hides what the peer lacks, which then fetches it by its name.
struct Walk<'s> {
    snapshot: &'s Snapshot,
    database: &'s DatabaseInfo,
    clocks: &'s Clocks,
    /// Is anything held back? Otherwise nothing has to be asked about it.
    holds: bool,
    waiting: BinaryHeap<Waiting>,
    /// Of those that wait, whether the peer has them.
    is_there: HashMap<Hash, bool>,
    /// How many wait that it does not have.
    lacked: usize,
}

/// An entry that is to be looked at. The newest comes first, so that whether it is there is known from all that follow it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    time: u64,
    hash: Hash,
    position: Position,
    identity: Hash,
    next: Vec<Hash>,
}

impl Difference {
    /// What a peer with these heads and clocks lacks, of what `roots` stand for. It is given up when `stop` is set.
    pub(super) fn of(
        snapshot: &Snapshot,
        database: &Arc<DatabaseInfo>,
        roots: &[Hash],
        theirs: &[Hash],
        clocks: &Clocks,
        stop: &AtomicBool,
    ) -> Result<Difference, StateError> {
        let log = snapshot.core.log(&snapshot.state, database.id)?;
        let (waiting, is_there) = (BinaryHeap::new(), HashMap::new());
        let mut walk = Walk { snapshot, database, clocks, holds: log.held > 0, waiting, is_there, lacked: 0 };
        if !clocks.whole {
            for head in theirs {
                walk.meet(*head, u64::MAX, true)?;
            }
        }
        for root in roots {
            walk.meet(*root, u64::MAX, false)?;
        }
        walk.go(roots, stop)
    }
}

impl Walk<'_> {
    fn go(&mut self, roots: &[Hash], stop: &AtomicBool) -> Result<Difference, StateError> {
        let mut found = Difference::default();
        let mut numbers: HashMap<Hash, u32> = HashMap::new();
        while self.lacked > 0 && !stop.load(Ordering::Relaxed) {
            let Some(Waiting { time, hash, position, identity, next }) = self.waiting.pop() else { break };
            let known = self.is_there.remove(&hash).unwrap_or(false);
            self.lacked -= usize::from(!known);
            let is_there = known || self.clocks.covers(&identity, time);
            // the peer says that it lacks a root, whatever its clocks may hide
            if !is_there || (!known && roots.contains(&hash)) {
                let number = (!self.clocks.times.contains_key(&identity)).then(|| {
                    *numbers.entry(identity).or_insert_with(|| {
                        found.identities.push(identity);
                        (found.identities.len() - 1) as u32
                    })
                });
                found.entries.push_front((position, number));
                found.entries.truncate(MOST);
            }
            if is_there && self.clocks.whole {
                continue;
            }
            for hash in next {
                self.meet(hash, time, is_there)?;
            }
        }
        Ok(found)
    }

    /// Looks at an entry later, which is behind one of the time `before`.
    fn meet(&mut self, hash: Hash, before: u64, is_there: bool) -> Result<(), StateError> {
        if let Some(known) = self.is_there.get_mut(&hash) {
            if is_there && !*known {
                *known = true;
                self.lacked -= 1;
            }
            return Ok(());
        }
        // an entry that was refused may have any time, and what follows it as well: then the peer asks by name
        let Some(waiting) = self.read(hash)?.filter(|waiting| waiting.time < before) else { return Ok(()) };
        self.lacked += usize::from(!is_there);
        self.is_there.insert(hash, is_there);
        self.waiting.push(waiting);
        Ok(())
    }

    /// An entry of the log, or one that is stepped over for want of a right. Others that are stepped over nobody should have made:
    /// they are not offered, and whatever in the log they build on is a head, or followed by another entry of the log.
    fn read(&mut self, hash: Hash) -> Result<Option<Waiting>, StateError> {
        let (core, state) = (&self.snapshot.core, &self.snapshot.state);
        if self.holds
            && let Some(row) = held(state, self.database.id, &hash)?
            && !(row.is_stepped_over() && row.time.is_some() && row.is_about_rights())
        {
            return Ok(None);
        }
        let Some((position, block)) = heads::block(core, state, self.database, &hash)? else { return Ok(None) };
        let Ok(parts) = EntryParts::parse(&block) else { return Ok(None) };
        let (true, Ok(identity), Ok(next)) = (parts.log == self.database.log, parts.identity.parse(), parts.next())
        else {
            return Ok(None);
        };
        Ok(Some(Waiting { time: parts.time, hash, position, identity, next }))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::standing::lacking, *};
    use crate::{
        DatabaseKind, DatabaseSpec, Durability, Identity, NoSchema, Node, NodeOptions, Payload, ReadDocuments as _,
    };
    use debros_ipfs::ReadState as _;
    use tempfile::TempDir;

    struct Replica {
        node: Node,
        folder: TempDir,
    }

    fn notes() -> DatabaseSpec {
        DatabaseSpec::documents("notes", ["*"]).of_kind(DatabaseKind::Events)
    }

    async fn replica() -> Replica {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
        node.write(Durability::Buffered, |writer| writer.open(&notes())).await.unwrap();
        Replica { node, folder }
    }

    impl Replica {
        fn database(&self) -> Arc<DatabaseInfo> {
            self.node.snapshot().unwrap().at(&notes().address().unwrap()).unwrap().unwrap()
        }

        async fn write(&self, by: &Identity, count: u64) {
            // no two replicas write the same
            let (id, by, here) = (self.database().id, by.clone(), self.folder.path().display().to_string());
            let job = move |writer: &mut crate::Writer<'_>| {
                (0..count)
                    .try_for_each(|n| writer.append(id, &by, Payload::add(format!("{n} {here}").into())).map(drop))
            };
            self.node.write(Durability::Buffered, job).await.unwrap();
        }

        fn heads(&self) -> Vec<Hash> {
            self.node.snapshot().unwrap().heads(self.database().id).unwrap()
        }

        /// What the other lacks, and the identities that it may lack.
        fn lacked_by(&self, other: &Replica) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
            let theirs = Clocks::of(&other.node.snapshot().unwrap(), &other.database()).unwrap();
            let snapshot = self.node.snapshot().unwrap();
            let there = other.node.snapshot().unwrap();
            let roots = lacking(&there, &other.database(), &self.heads()).unwrap();
            let found = self.difference(&roots, &other.heads(), &theirs);
            let blocks = found.entries.iter().map(|(at, _)| snapshot.state.block_at(*at).unwrap().to_vec());
            let identities = found.identities.iter().map(|hash| snapshot.block(hash).unwrap().unwrap().to_vec());
            (blocks.collect(), identities.collect())
        }

        fn difference(&self, roots: &[Hash], theirs: &[Hash], clocks: &Clocks) -> Difference {
            let snapshot = self.node.snapshot().unwrap();
            let never = AtomicBool::new(false);
            Difference::of(&snapshot, &self.database(), roots, theirs, clocks, &never).unwrap()
        }

        async fn send(&self, other: &Replica) -> usize {
            let (entries, identities) = self.lacked_by(other);
            let count = entries.len();
            let receipt = other.node.receive(other.database().id, "peer", identities, entries).await.unwrap();
            assert!(receipt.is_complete(), "{receipt:?}");
            count
        }
    }

    #[tokio::test]
    async fn what_a_peer_has_is_not_told_again() {
        let (one, two) = (replica().await, replica().await);
        let (me, you) = (one.node.identity("me").unwrap(), two.node.identity("you").unwrap());
        one.write(&me, 300).await;
        assert_eq!(one.send(&two).await, 300);
        assert_eq!(one.lacked_by(&two), (vec![], vec![]));
        assert_eq!(two.lacked_by(&one), (vec![], vec![]));
        // each goes on without the other
        one.write(&me, 10).await;
        two.write(&you, 7).await;
        one.write(&me, 10).await;
        let (entries, identities) = two.lacked_by(&one);
        assert_eq!((entries.len(), identities.len()), (7, 1));
        assert_eq!(two.send(&one).await, 7);
        let (entries, identities) = one.lacked_by(&two);
        assert_eq!((entries.len(), identities.len()), (20, 0), "whoever wrote them is known");
        assert_eq!(one.send(&two).await, 20);
        assert_eq!(
            one.node.snapshot().unwrap().state_hash(one.database().id).unwrap(),
            two.node.snapshot().unwrap().state_hash(two.database().id).unwrap()
        );
        one.write(&you, 1).await;
        assert_eq!(one.send(&two).await, 1, "after several heads");
    }

    #[tokio::test]
    async fn heads_alone_tell_a_peer_that_is_behind_from_one_that_has_nothing() {
        let (one, two) = (replica().await, replica().await);
        let me = one.node.identity("me").unwrap();
        one.write(&me, 50).await;
        one.send(&two).await;
        one.write(&me, 5).await;
        let lacked = |heads: &[Hash]| one.difference(&one.heads(), heads, &Clocks::default()).entries.len();
        assert_eq!(lacked(&two.heads()), 5);
        assert_eq!(lacked(&[]), 55);
        assert_eq!(lacked(&[Hash::of(b"not known here")]), 55);
    }

    #[tokio::test]
    async fn a_head_of_a_key_with_two_histories_is_sent_whatever_its_clock_says() {
        let (one, two) = (replica().await, replica().await);
        let me = one.node.identity("me").unwrap();
        // a folder was copied
        one.write(&me, 3).await;
        two.write(&me, 5).await;
        let (entries, _) = one.lacked_by(&two);
        assert_eq!(entries.len(), 1, "the head; what it builds on is asked for by name");
        assert_eq!(two.lacked_by(&one).0.len(), 2, "those whose times the other does not have");
    }
}
