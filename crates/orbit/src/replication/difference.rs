use super::clocks::Clocks;
use crate::{
    DatabaseInfo, Hash, Snapshot,
    entry::EntryParts,
    heads,
    state::{StateError, held, links_at},
};
use debros_ipfs::Position;
use std::{
    collections::{BinaryHeap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

/// So many entries are told apart at a time; the oldest of them, which others build on. The rest follow next time.
const MOST: usize = 4 << 20;

/// Where an entry is that a peer lacks, and the identity that wrote it, if the peer may lack that, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lacked {
    pub(super) position: Position,
    pub(super) identity: Option<Hash>,
}

/// What a peer lacks of a log.
///
/// It is found by a walk from the heads that the peer lacks, newest first, that ends where everything else is known to be
/// there: the entries behind the peer's own heads, and behind those that its clocks cover. So it costs what is
/// different, and not what both have. A key with two histories may hide what the peer lacks, which then fetches
/// it by its name.
pub(super) struct Difference<'s> {
    snapshot: &'s Snapshot,
    database: Arc<DatabaseInfo>,
    clocks: &'s Clocks,
    /// Is anything held back? Otherwise nothing has to be asked about it.
    holds: bool,
    waiting: BinaryHeap<Waiting>,
    /// Of those that wait, whether the peer has them.
    is_there: HashMap<Hash, bool>,
    /// How many wait that it does not have.
    lacked: usize,
    /// The refused ones that were met: of them, no clock says when they come.
    refused: HashSet<Hash>,
}

/// An entry that is to be looked at. The newest comes first, so that whether it is there is known from all that follow it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    time: u64,
    hash: Hash,
    position: Position,
    identity: Option<Hash>,
    next: Vec<Hash>,
}

impl Difference<'_> {
    /// What a peer with these heads and clocks lacks, of what `roots` stand for; older entries first.
    pub(super) fn of(
        snapshot: &Snapshot,
        database: &Arc<DatabaseInfo>,
        roots: &[Hash],
        theirs: &[Hash],
        clocks: &Clocks,
    ) -> Result<VecDeque<Lacked>, StateError> {
        let log = snapshot.core.log(&snapshot.state, database.id)?;
        let mut difference = Difference {
            snapshot,
            database: database.clone(),
            clocks,
            holds: log.held > 0,
            waiting: BinaryHeap::new(),
            is_there: HashMap::new(),
            lacked: 0,
            refused: HashSet::new(),
        };
        for head in theirs {
            difference.meet(*head, u64::MAX, true)?;
        }
        for root in roots {
            difference.meet(*root, u64::MAX, false)?;
        }
        // the peer says that it lacks them, whatever its clocks may hide
        let roots: HashSet<Hash> = roots.iter().copied().collect();
        difference.walk(&roots)
    }

    fn walk(&mut self, roots: &HashSet<Hash>) -> Result<VecDeque<Lacked>, StateError> {
        let mut found = VecDeque::new();
        while self.lacked > 0 {
            let Some(Waiting { time, hash, position, identity, next }) = self.waiting.pop() else { break };
            let mut is_there = self.is_there.remove(&hash).unwrap_or(false);
            self.lacked -= usize::from(!is_there);
            let covered = identity.and_then(|identity| self.clocks.get(&identity)).is_some_and(|last| time <= *last);
            if !is_there && !roots.contains(&hash) {
                is_there = covered;
            }
            if !is_there {
                let identity = identity.filter(|identity| !self.clocks.contains_key(identity));
                found.push_front(Lacked { position, identity });
                if found.len() > MOST {
                    found.pop_back();
                }
            }
            for hash in next {
                self.meet(hash, time, is_there || covered)?;
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
        let Some(waiting) = self.read(hash, before)? else { return Ok(()) };
        self.lacked += usize::from(!is_there);
        self.is_there.insert(hash, is_there);
        self.waiting.push(waiting);
        Ok(())
    }

    /// An entry of the log, or a refused one that is stepped over; `None` if it is neither.
    fn read(&mut self, hash: Hash, before: u64) -> Result<Option<Waiting>, StateError> {
        let (core, state) = (&self.snapshot.core, &self.snapshot.state);
        if self.holds
            && let Some(row) = held(state, self.database.id, &hash)?
        {
            if !row.is_stepped_over() || !self.refused.insert(hash) {
                return Ok(None);
            }
            let next = links_at(state, core, row.position)?.next;
            return Ok(Some(Waiting {
                time: before.saturating_sub(1),
                hash,
                position: row.position,
                identity: None,
                next,
            }));
        }
        let Some((position, block)) = heads::block(core, state, &self.database, &hash)? else { return Ok(None) };
        let Ok(parts) = EntryParts::parse(&block) else { return Ok(None) };
        let (true, Ok(identity), Ok(next)) = (parts.log == self.database.log, parts.identity.parse(), parts.next())
        else {
            return Ok(None);
        };
        Ok(Some(Waiting { time: parts.time, hash, position, identity: Some(identity), next }))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::clocks::clocks, *};
    use crate::{
        DatabaseKind, DatabaseSpec, Durability, Identity, NoSchema, Node, NodeOptions, Payload, ReadDocuments as _,
    };
    use debros_ipfs::ReadState as _;
    use tempfile::TempDir;

    struct Replica {
        node: Node,
        _folder: TempDir,
    }

    fn notes() -> DatabaseSpec {
        DatabaseSpec::documents("notes", ["*"]).of_kind(DatabaseKind::Events)
    }

    async fn replica() -> Replica {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
        node.write(Durability::Buffered, |writer| writer.open(&notes())).await.unwrap();
        Replica { node, _folder: folder }
    }

    impl Replica {
        fn database(&self) -> Arc<DatabaseInfo> {
            self.node.snapshot().unwrap().at(&notes().address().unwrap()).unwrap().unwrap()
        }

        async fn write(&self, by: &Identity, count: u64) {
            let (id, by) = (self.database().id, by.clone());
            let job = move |writer: &mut crate::Writer<'_>| {
                (0..count).try_for_each(|n| writer.append(id, &by, Payload::add(n.to_string().into())).map(drop))
            };
            self.node.write(Durability::Buffered, job).await.unwrap();
        }

        fn heads(&self) -> Vec<Hash> {
            self.node.snapshot().unwrap().heads(self.database().id).unwrap()
        }

        /// What the other lacks, and the identities that it may lack.
        fn lacked_by(&self, other: &Replica) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
            let theirs = clocks(&other.node.snapshot().unwrap(), &other.database()).unwrap();
            let snapshot = self.node.snapshot().unwrap();
            let found = Difference::of(&snapshot, &self.database(), &self.heads(), &other.heads(), &theirs).unwrap();
            let blocks = found.iter().map(|lacked| snapshot.state.block_at(lacked.position).unwrap().to_vec());
            let identities: HashSet<Hash> = found.iter().filter_map(|lacked| lacked.identity).collect();
            let identities = identities.iter().map(|hash| snapshot.block(hash).unwrap().unwrap().to_vec());
            (blocks.collect(), identities.collect())
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
        let snapshot = one.node.snapshot().unwrap();
        let lacked = |heads: &[Hash]| {
            Difference::of(&snapshot, &one.database(), &one.heads(), heads, &Clocks::new()).unwrap().len()
        };
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
