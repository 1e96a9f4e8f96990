use super::{BlockList, BlockListError, TakenLists, pin_name};
use crate::{
    Address, CommitError, DatabaseId, DatabaseInfo, DatabaseSpec, Durability, Encryption, Entry, Hash, Hold,
    IdentityBlock, Node, OpenDatabaseError, ReadDocuments as _, ReadError, Snapshot, Wanted,
};
use debros_ipfs::{Cid, Kubo, KuboError};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Blocks are joined when there are so many.
const BATCH: usize = 1_000;
/// Or so many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// Most refused entries that are listed.
const MAX_LISTED: usize = 100;
/// Most entries that are fetched one by one.
const MAX_SINGLE: usize = 1_000;
/// And so many that are not found.
const MAX_NOT_FOUND: usize = 10;
/// So many of the newest lists are looked through for those that have something new, before all are.
const RECENT: usize = 256;
/// So many lists one after the other that have nothing new end that.
const KNOWN: usize = 4;
/// So many entries have to join for each list beyond those that anybody may name.
const JOINED_FOR_A_LIST: u64 = 8;
/// So many blocks that were asked for are remembered.
const REMEMBERED: usize = 1 << 17;
/// How long a single block is waited for.
const BLOCK_WITHIN: Duration = Duration::from_secs(30);

/// What taking over a database came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct CaughtUp {
    /// Entries that joined the log here.
    pub joined: u64,
    /// Entries that were here already.
    pub known: u64,
    /// Entries that do not belong there, in all.
    pub refused: u64,
    /// Why, for the first hundred.
    pub reasons: Vec<(Hash, String)>,
    /// Entries that wait for one that could not be had. They are held back, and join when it comes.
    pub waiting: u64,
    /// Lists of blocks that were read for it; those that were taken before are left out.
    pub lists: u64,
    /// Other blocks that were fetched: those that were not here.
    pub fetched: u64,
}

/// Why a database was not taken over. What joined before stays, and it may be repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatchUpError {
    /// The daemon.
    #[error(transparent)]
    Kubo(#[from] KuboError),
    /// The root is not to be had.
    #[error("the daemon has not found the block {0} within the time: is a daemon that holds it connected to it?")]
    NotFound(Hash),
    /// The root is no list of blocks.
    #[error(transparent)]
    List(#[from] BlockListError),
    /// The root is of another database.
    #[error("the root {root} lists blocks of the database /orbitdb/{found}, not of {expected}")]
    OtherDatabase {
        /// The root.
        root: Hash,
        /// The address of the database that was asked for.
        expected: String,
        /// The manifest of the database that it is of.
        found: String,
    },
    /// Much was fetched, and nothing of it belongs to the database.
    #[error("what is below the roots that were named for {database} is of no use to it")]
    OfNoUse {
        /// The address of the database.
        database: String,
    },
    /// It takes longer, or more lists, than is given at a time to somebody on a topic.
    #[error("the database {database} is not taken over wholly yet: it goes on after others had their turn")]
    Enough {
        /// The address of the database.
        database: String,
    },
    /// It was told of by others, and was dropped here meanwhile.
    #[error("the database {database} was dropped here meanwhile, so nothing of it is fetched")]
    Dropped {
        /// The address of the database.
        database: String,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenDatabaseError),
    /// The local databases could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The local store failed.
    #[error("what was taken over could not be stored: {0}")]
    Commit(Box<dyn std::error::Error + Send + Sync>),
    /// The connection to the daemon was closed meanwhile.
    #[error("it was given up, because the database was closed meanwhile")]
    Ended,
}

/// Blocks that were fetched and not taken yet.
#[derive(Default)]
struct Batch {
    entries: Vec<Vec<u8>>,
    /// They come before the entries that name them.
    identities: Vec<Vec<u8>>,
    bytes: usize,
}

/// Where entries are said to come from.
const FROM: &str = "a Kubo daemon";

/// Who named the roots.
#[derive(Clone, Copy)]
pub(crate) enum Named<'n> {
    /// The application.
    ByUs,
    /// Somebody on a topic, who says that these are the heads: what leads to nothing is given up soon.
    ByOthers(&'n [Hash]),
}

/// What is to be taken over, from where.
pub(crate) struct CatchUp<'c> {
    pub(crate) node: &'c Node,
    pub(crate) kubo: &'c Kubo,
    pub(crate) tag: &'c str,
    pub(crate) taken: &'c TakenLists,
    /// Counts lists and blocks that came, whether it succeeds or not.
    pub(crate) blocks: &'c AtomicU64,
    /// Counts entries that joined, in the same way.
    pub(crate) joined: &'c AtomicU64,
}

impl CatchUp<'_> {
    /// Takes over what is in these lists, the oldest first, and not here yet.
    pub(crate) async fn take(
        &self,
        spec: DatabaseSpec,
        roots: &[Hash],
        named: Named<'_>,
    ) -> Result<CaughtUp, CatchUpError> {
        let address = spec.address().map_err(OpenDatabaseError::from)?;
        if let Named::ByUs = named {
            // before anything is opened for it
            for root in roots {
                read_list(self.kubo, &address, *root, u8::MAX, BLOCK_WITHIN).await?;
            }
        }
        let here = self.node.snapshot().map_err(ReadError::from)?.at(&address)?;
        let database = match here {
            Some(info) => info.id,
            // it was here when this was begun; nobody but the application opens it again
            None if matches!(named, Named::ByOthers(_)) => {
                return Err(CatchUpError::Dropped { database: address.to_string() });
            }
            None => {
                let opened = spec.clone();
                let database = self.node.write(Durability::Local, move |writer| writer.open(&opened)).await;
                database.map_err(|error| match error {
                    CommitError::Job(error) => CatchUpError::Open(error),
                    other => CatchUpError::Commit(Box::new(other)),
                })?
            }
        };
        let snapshot = self.node.snapshot().map_err(ReadError::from)?;
        let mut taking = Taking {
            all: self,
            database,
            info: snapshot.info(database)?,
            log: address.to_string(),
            encryption: self.node.encryption(&address),
            pin_name: pin_name::of_catching_up(&spec, self.tag),
            patience: Patience::with(named),
            missing: Vec::new(),
            asked: HashSet::new(),
            all_kept: true,
            finished: Vec::new(),
            held: HashSet::new(),
            waiting: 0,
            began: Instant::now(),
            done: CaughtUp::default(),
        };
        drop(snapshot);
        match named {
            Named::ByUs => taking.walk(roots).await?,
            Named::ByOthers(heads) => {
                if let Some(recent) = taking.recent(roots).await? {
                    taking.walk(&recent).await?;
                }
                if taking.lacks_any(heads)? {
                    taking.walk(roots).await?;
                }
            }
        }
        taking.fetch_missing().await?;
        taking.settle().await?;
        Ok(taking.done)
    }
}

/// How much is done for whoever named the roots.
struct Patience {
    /// Whether lists that were taken before are left out, or counted once more.
    skips: bool,
    /// So many blocks are asked for at once; more and more, while they are of use.
    portion: usize,
    /// So many blocks, and bytes, may come of which none is of use.
    wasted: usize,
    wasted_bytes: usize,
    /// So many lists may be read of which nothing is of use.
    lists: usize,
    /// So long is waited for one block,
    within: Duration,
    /// so long for a portion,
    portion_within: Duration,
    /// so long until something is of use,
    idle: Duration,
    /// and so long for everything.
    whole: Duration,
    /// So many lists are read at all, and one more for some entries that joined.
    all_lists: u64,
    /// So many blocks are asked for one by one.
    single: usize,
    /// And so many of these may not be found.
    not_found: usize,
}

impl Patience {
    fn with(named: Named<'_>) -> Patience {
        match named {
            Named::ByUs => Patience {
                skips: false,
                portion: BlockList::MAX_LINKS,
                wasted: usize::MAX,
                wasted_bytes: usize::MAX,
                lists: usize::MAX,
                within: BLOCK_WITHIN,
                portion_within: Duration::MAX,
                idle: Duration::MAX,
                whole: Duration::MAX,
                all_lists: u64::MAX,
                single: MAX_SINGLE,
                not_found: MAX_NOT_FOUND,
            },
            Named::ByOthers(_) => Patience {
                skips: true,
                portion: 32,
                wasted: 4_096,
                wasted_bytes: 32 << 20,
                lists: 512,
                within: Duration::from_secs(10),
                portion_within: Duration::from_secs(120),
                idle: Duration::from_secs(120),
                whole: Duration::from_secs(600),
                all_lists: 2_048,
                single: 256,
                not_found: 2,
            },
        }
    }

    /// Whether others have their turn now.
    fn is_enough(&self, since: Duration, done: &CaughtUp) -> bool {
        since > self.whole || done.lists > self.all_lists.saturating_add(done.joined / JOINED_FOR_A_LIST)
    }
}

struct Taking<'t> {
    all: &'t CatchUp<'t>,
    database: DatabaseId,
    info: Arc<DatabaseInfo>,
    log: String,
    encryption: Encryption,
    pin_name: String,
    patience: Patience,
    /// Blocks that are to be fetched.
    missing: Vec<Hash>,
    /// Those that were, or are to be.
    asked: HashSet<Hash>,
    /// Whether everything that came was kept: it joined, or is held back.
    all_kept: bool,
    /// Lists that are taken when these have come.
    finished: Vec<Hash>,
    /// Entries that are held back, at first.
    held: HashSet<Hash>,
    /// How many of them wait for others.
    waiting: u64,
    began: Instant,
    done: CaughtUp,
}

/// What of a list is to be done.
enum Step {
    /// A list, and the depth that it has less than.
    Into(Hash, u8),
    /// Everything below it was looked at.
    Done(Hash),
}

/// Where a block is.
enum Here {
    /// In the log, or held back there.
    Joined,
    /// In the segments only: it is no entry, or one of a database that was dropped since.
    Stored(Vec<u8>),
    No,
}

impl Taking<'_> {
    /// Takes everything below these lists, the first ones first, but for lists that were taken before.
    async fn walk(&mut self, roots: &[Hash]) -> Result<(), CatchUpError> {
        let mut seen = HashSet::new();
        let (mut wasted, mut used, mut since) = (0, self.used(), Instant::now());
        let mut enough = false;
        let mut steps: Vec<Step> = roots.iter().rev().map(|root| Step::Into(*root, u8::MAX)).collect();
        while let Some(step) = steps.pop() {
            let (hash, above) = match step {
                Step::Done(hash) => {
                    self.finished.push(hash);
                    continue;
                }
                Step::Into(hash, above) => (hash, above),
            };
            if (self.patience.skips && self.all.taken.has(self.database, &hash)) || !seen.insert(hash) {
                continue;
            }
            if std::mem::replace(&mut used, self.used()) == used {
                wasted += 1;
            } else {
                (wasted, since) = (0, Instant::now());
            }
            if wasted > self.patience.lists || since.elapsed() > self.patience.idle {
                return Err(self.of_no_use());
            }
            enough = self.patience.is_enough(self.began.elapsed(), &self.done);
            if enough {
                break;
            }
            let list = self.list(hash, above).await?;
            if list.depth > 0 {
                steps.push(Step::Done(hash));
                for link in list.links.iter().rev() {
                    steps.push(Step::Into(linked(hash, link)?, list.depth));
                }
                continue;
            }
            let (mut stored, mut all_joined) = (Batch::default(), true);
            let snapshot = self.all.node.snapshot().map_err(ReadError::from)?;
            for link in &list.links {
                let block = linked(hash, link)?;
                if self.asked.contains(&block) {
                    all_joined = false;
                    continue;
                }
                match self.look_for(&snapshot, &block)? {
                    Here::Joined => self.done.known += 1,
                    Here::Stored(bytes) => self.sort(bytes, &mut stored),
                    Here::No => {
                        all_joined = false;
                        self.asked.insert(block);
                        self.missing.push(block);
                    }
                }
                if stored.is_full() {
                    all_joined = false;
                    self.join(std::mem::take(&mut stored)).await?;
                }
            }
            drop(snapshot);
            // identities alone are of no use, and with every list there are some
            if !stored.entries.is_empty() {
                all_joined = false;
                self.join(stored).await?;
            }
            if all_joined {
                // whatever comes of the others: the next time it begins behind it
                self.all.taken.add(self.database, [hash]);
            } else {
                self.finished.push(hash);
            }
            while self.missing.len() >= self.patience.portion {
                self.fetch_portion().await?;
            }
        }
        while !self.missing.is_empty() {
            self.fetch_portion().await?;
        }
        let finished = self.finished.drain(..);
        // what there was no room for may be wanted later
        if self.all_kept {
            self.all.taken.add(self.database, finished);
        }
        if enough {
            return Err(CatchUpError::Enough { database: self.log.clone() });
        }
        Ok(())
    }

    /// The newest lists of blocks, until there are some of which everything is here; `None`, if they are many.
    async fn recent(&mut self, roots: &[Hash]) -> Result<Option<Vec<Hash>>, CatchUpError> {
        let mut lists: Vec<(Hash, u8)> = roots.iter().map(|root| (*root, u8::MAX)).collect();
        let (mut recent, mut seen, mut known, begin) = (Vec::new(), HashSet::new(), 0, Instant::now());
        while let Some((hash, above)) = lists.pop() {
            if known >= KNOWN {
                break;
            }
            if !seen.insert(hash) {
                continue;
            }
            if self.all.taken.has(self.database, &hash) {
                known += 1;
                continue;
            }
            if seen.len() > RECENT {
                return Ok(None);
            }
            if begin.elapsed() > self.patience.idle {
                return Err(self.of_no_use());
            }
            let list = self.list(hash, above).await?;
            let links = list.links.iter().map(|link| linked(hash, link)).collect::<Result<Vec<_>, _>>()?;
            if list.depth > 0 {
                lists.extend(links.into_iter().map(|link| (link, list.depth)));
                continue;
            }
            let snapshot = self.all.node.snapshot().map_err(ReadError::from)?;
            let mut all_here = true;
            for link in &links {
                all_here &= match self.look_for(&snapshot, link)? {
                    Here::Joined => true,
                    Here::Stored(bytes) => !self.is_entry(&bytes),
                    Here::No => false,
                };
            }
            if all_here {
                known += 1;
                self.all.taken.add(self.database, [hash]);
            } else {
                known = 0;
                recent.push(hash);
            }
        }
        recent.reverse();
        Ok(Some(recent))
    }

    fn look_for(&self, snapshot: &Snapshot, block: &Hash) -> Result<Here, ReadError> {
        if snapshot.is_known(&self.info, block)? {
            return Ok(Here::Joined);
        }
        Ok(snapshot.block(block)?.map_or(Here::No, |bytes| Here::Stored(bytes.to_vec())))
    }

    async fn list(&mut self, hash: Hash, above: u8) -> Result<BlockList, CatchUpError> {
        self.done.lists += 1;
        self.all.blocks.fetch_add(1, Ordering::Relaxed);
        read_list(self.all.kubo, &self.info.address, hash, above, self.patience.within).await
    }

    /// Whether one of these is not here, neither in the log nor held back.
    fn lacks_any(&self, heads: &[Hash]) -> Result<bool, CatchUpError> {
        let snapshot = self.all.node.snapshot().map_err(ReadError::from)?;
        Ok(snapshot.lacks_any(&self.info, heads)?)
    }

    fn of_no_use(&self) -> CatchUpError {
        CatchUpError::OfNoUse { database: self.log.clone() }
    }

    /// What came and was of use, so far. What was here before is not: anybody can name it in as many lists as they like.
    fn used(&self) -> u64 {
        self.done.joined + self.waiting
    }

    /// Fetches the next of what is missing. The daemon pins a list of our own around it meanwhile: so it fetches many at a time, nothing
    /// else than these, and nobody else's pins are touched.
    async fn fetch_portion(&mut self) -> Result<(), CatchUpError> {
        // of its own each time, so that one that ends does not unpin another's
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if self.asked.len() > REMEMBERED {
            // one that is named once more is here by now, or is asked for once more
            self.asked = self.missing.iter().copied().collect();
        }
        let portion: Vec<Hash> = self.missing.drain(..self.missing.len().min(self.patience.portion)).collect();
        let around = BlockList {
            blocks: portion.len() as u64,
            by: format!("{}, taking over {}", self.all.tag, COUNT.fetch_add(1, Ordering::Relaxed)),
            database: self.info.address.manifest().cid(),
            depth: 0,
            links: portion.iter().map(Hash::raw_cid).collect(),
        };
        let (hash, car) = around.to_car();
        let kubo = self.all.kubo;
        kubo.dag_import(vec![car], BlockList::MAX_BYTES).await?;
        let before = self.used();
        let pinned = timeout(self.patience.portion_within, kubo.pin_add_from_peers(&hash.cid(), &self.pin_name)).await;
        let taken = match pinned {
            Ok(Ok(())) => self.take_below(hash).await,
            Ok(Err(error)) => Err(error.into()),
            // what has come until now is there the next time
            Err(_) => Err(CatchUpError::NotFound(portion[0])),
        };
        kubo.pin_rm(&hash.cid()).await?;
        let bytes = taken?;
        self.done.fetched += portion.len() as u64;
        self.all.blocks.fetch_add(portion.len() as u64, Ordering::Relaxed);
        if self.used() > before {
            self.patience.portion = (2 * self.patience.portion).min(BlockList::MAX_LINKS);
        } else {
            let Patience { wasted, wasted_bytes, .. } = self.patience;
            let left = wasted.checked_sub(portion.len()).zip(wasted_bytes.checked_sub(bytes));
            (self.patience.wasted, self.patience.wasted_bytes) = left.ok_or_else(|| self.of_no_use())?;
        }
        Ok(())
    }

    /// Takes the blocks below a list of our own, which the daemon has; gives their bytes.
    async fn take_below(&mut self, around: Hash) -> Result<usize, CatchUpError> {
        let mut blocks = self.all.kubo.dag_export(&around.cid()).await?;
        let (mut batch, mut all) = (Batch::default(), 0);
        while let Some((_, bytes)) = blocks.next().await? {
            all += bytes.len();
            self.sort(bytes.to_vec(), &mut batch);
            if batch.is_full() {
                self.join(std::mem::take(&mut batch)).await?;
            }
        }
        self.join(batch).await?;
        Ok(all)
    }

    /// Counts what has become of what was held back.
    async fn settle(&mut self) -> Result<(), CatchUpError> {
        self.all.node.settle().await;
        let snapshot = self.all.node.snapshot().map_err(ReadError::from)?;
        for held in snapshot.held(Some(self.database)) {
            let held = held?;
            if !self.held.remove(&held.hash) {
                continue;
            }
            match held.hold {
                hold if waits(&hold) => self.done.waiting += 1,
                hold => self.refuse(held.hash, &hold),
            }
        }
        // the others were released
        self.done.joined += self.held.len() as u64;
        self.all.joined.fetch_add(self.held.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Sorts a block, whose hash was checked; lists, manifests and what belongs to other logs are not needed.
    fn sort(&self, block: Vec<u8>, batch: &mut Batch) {
        batch.bytes += block.len();
        if self.is_entry(&block) {
            batch.entries.push(block);
        } else if IdentityBlock::decode(&block).is_ok() {
            batch.identities.push(block);
        }
    }

    /// An entry of this log, one that cannot be opened, or what others build on although it is none.
    fn is_entry(&self, block: &[u8]) -> bool {
        match Entry::open(block, &self.encryption) {
            Ok(entry) => entry.log().to_string() == self.log,
            Err(_) => Encryption::is_sealed(block) || Entry::links_of(block).iter().next().is_some(),
        }
    }

    /// Takes what was fetched.
    async fn join(&mut self, batch: Batch) -> Result<(), CatchUpError> {
        let Batch { entries, identities, .. } = batch;
        let receipt = self.all.node.receive(self.database, FROM, identities, entries).await;
        let receipt = receipt.map_err(|error| CatchUpError::Commit(Box::new(error)))?;
        self.done.joined += receipt.joined;
        self.all.joined.fetch_add(receipt.joined, Ordering::Relaxed);
        self.done.known += receipt.known;
        self.waiting += receipt.held.iter().filter(|(_, hold)| waits(hold)).count() as u64;
        self.held.extend(receipt.held.iter().map(|(hash, _)| *hash));
        self.all_kept &= receipt.not_kept.is_empty();
        for (hash, error) in receipt.not_kept {
            self.refuse(hash, &error);
        }
        Ok(())
    }

    fn refuse(&mut self, hash: Hash, why: &dyn std::fmt::Display) {
        self.done.refused += 1;
        if self.done.reasons.len() < MAX_LISTED {
            self.done.reasons.push((hash, why.to_string()));
        }
    }

    /// Asks the daemon, or whoever it asks, for what entries wait for.
    async fn fetch_missing(&mut self) -> Result<(), CatchUpError> {
        let mut asked: HashSet<Hash> = HashSet::new();
        let mut not_found = 0;
        loop {
            self.all.node.settle().await;
            let snapshot = self.all.node.snapshot().map_err(ReadError::from)?;
            let wanted = snapshot.wanted(Some(self.database), MAX_SINGLE)?;
            drop(snapshot);
            let mut batch = Batch::default();
            for hash in wanted.iter().map(Wanted::hash) {
                if asked.len() >= self.patience.single
                    || self.began.elapsed() > self.patience.whole
                    || not_found >= self.patience.not_found
                    || batch.is_full()
                {
                    break;
                }
                if !asked.insert(hash) {
                    continue;
                }
                match self.all.kubo.block_get(&hash.cid(), self.patience.within).await? {
                    Some(block) => self.sort(block.to_vec(), &mut batch),
                    None => not_found += 1,
                }
            }
            if batch.entries.is_empty() && batch.identities.is_empty() {
                return Ok(());
            }
            self.join(batch).await?;
        }
    }
}

/// Is it held back for something that may come, and not for what it is?
fn waits(hold: &Hold) -> bool {
    matches!(hold, Hold::Missing | Hold::Identity(_))
}

/// Reads a list, of this database and of less depth.
async fn read_list(
    kubo: &Kubo,
    database: &Address,
    hash: Hash,
    above: u8,
    within: Duration,
) -> Result<BlockList, CatchUpError> {
    let block = kubo.block_get(&hash.cid(), within).await?.ok_or(CatchUpError::NotFound(hash))?;
    let list = BlockList::decode(hash, &block)?;
    if list.database != database.manifest().cid() {
        let found = Hash::from_cid(&list.database).map_or_else(|| list.database.to_string(), |hash| hash.to_string());
        return Err(CatchUpError::OtherDatabase { root: hash, expected: database.to_string(), found });
    }
    if list.depth >= above {
        let reason = format!("it has {} levels, and the list above it no more", list.depth);
        return Err(BlockListError { hash, reason }.into());
    }
    Ok(list)
}

/// What a list links to.
fn linked(list: Hash, link: &Cid) -> Result<Hash, BlockListError> {
    let wrong = || BlockListError { hash: list, reason: format!("it links to {link}, which is no block of a log") };
    Hash::from_either_cid(link).ok_or_else(wrong)
}

impl Batch {
    fn is_full(&self) -> bool {
        self.entries.len() + self.identities.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoSchema, NodeOptions};

    #[test]
    fn what_was_dropped_is_not_opened_again_by_what_others_tell() {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::open(folder.path(), NodeOptions::default(), Arc::new(NoSchema)).unwrap();
        let spec = DatabaseSpec::documents("notes", ["*"]);
        let to_open = spec.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = node.write(Durability::Local, move |writer| writer.open(&to_open)).await.unwrap();
            node.drop_database(database).await.unwrap();
            // nothing is asked of it
            let kubo = Kubo::new("http://127.0.0.1:1".into()).unwrap();
            let (blocks, joined) = (AtomicU64::new(0), AtomicU64::new(0));
            let (taken, kubo) = (&TakenLists::default(), &kubo);
            let all = CatchUp { node: &node, kubo, tag: "00ff", taken, blocks: &blocks, joined: &joined };
            let error = all.take(spec.clone(), &[Hash::of(b"root")], Named::ByOthers(&[Hash::of(b"head")])).await;
            assert!(matches!(error, Err(CatchUpError::Dropped { .. })), "{error:?}");
            assert!(node.snapshot().unwrap().find(&spec).unwrap().is_none());
            node.close().await.unwrap();
        });
    }

    #[test]
    fn others_on_a_topic_are_given_time_and_lists_for_what_joins_only() {
        let (theirs, ours) = (Patience::with(Named::ByOthers(&[])), Patience::with(Named::ByUs));
        let done = |lists, joined| CaughtUp { lists, joined, known: 1 << 40, ..CaughtUp::default() };
        let (soon, late) = (Duration::ZERO, Duration::from_secs(601));
        assert!(!theirs.is_enough(soon, &done(2_048, 0)));
        assert!(theirs.is_enough(soon, &done(2_049, 0)));
        // a large database has many lists, and they lead to something
        assert!(!theirs.is_enough(soon, &done(100_000, 1_000_000)));
        assert!(theirs.is_enough(late, &done(1, 1_000_000)));
        assert!(!ours.is_enough(late, &done(u64::MAX, 0)));
    }
}
