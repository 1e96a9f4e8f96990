use super::{BlockList, BlockListError, pin_name};
use crate::{
    CommitError, DatabaseSpec, Durability, Encryption, Entry, Hash, IdentityBlock, JoinError, LogError, Node,
    OpenDatabaseError, ReadError,
};
use debros_ipfs::{Cid, Kubo, KuboError};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Blocks are joined when there are so many.
const BATCH: usize = 1_000;
/// Or so many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// Most bytes of entries that wait for one that they follow.
const MAX_WAITING: usize = 64 << 20;
/// Most refused entries that are listed.
const MAX_LISTED: usize = 100;
/// Most entries that are fetched one by one.
const MAX_SINGLE: usize = 1_000;
/// And so many that are not found.
const MAX_NOT_FOUND: usize = 10;
/// Most identities that are kept for entries to come.
const MAX_IDENTITIES: usize = 10_000;
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
    pub reasons: Vec<(Hash, JoinError)>,
    /// Entries that follow one that could not be had.
    pub waiting: u64,
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
    /// So many entries follow one that is not there that it is no log.
    #[error("more than {MAX_WAITING} bytes of entries follow others that are not in the list: it is not whole")]
    NotWhole,
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

/// Entries that were fetched and not joined yet.
#[derive(Default)]
struct Batch {
    entries: VecDeque<(Hash, Vec<u8>)>,
    bytes: usize,
}

/// Entries by the one that they follow and that is not here.
type Waiting = HashMap<Hash, Vec<(Hash, Vec<u8>)>>;

pub(crate) async fn catch_up(
    node: &Node,
    kubo: &Kubo,
    tag: &str,
    spec: DatabaseSpec,
    root: Hash,
) -> Result<CaughtUp, CatchUpError> {
    let address = spec.address().map_err(OpenDatabaseError::from)?;
    let block = kubo.block_get(&root.cid(), BLOCK_WITHIN).await?.ok_or(CatchUpError::NotFound(root))?;
    let list = BlockList::decode(root, &block)?;
    if list.database != address.manifest().cid() {
        let found = Hash::from_cid(&list.database).map_or_else(|| list.database.to_string(), |hash| hash.to_string());
        return Err(CatchUpError::OtherDatabase { root, expected: address.to_string(), found });
    }
    let pin = fetch_all(kubo, tag, &spec, &list, root).await?;
    let mut taking = Taking {
        node,
        kubo,
        spec,
        log: address.to_string(),
        encryption: node.encryption(&address),
        waiting: Waiting::new(),
        identities: HashMap::new(),
        done: CaughtUp::default(),
    };
    let result = taking.take(root).await;
    kubo.pin_rm(&pin).await?;
    result?;
    Ok(taking.done)
}

/// Has the daemon fetch everything below the root, many blocks at a time: by pinning a list of our own around it, so that
/// the pins of others are not touched.
async fn fetch_all(
    kubo: &Kubo,
    tag: &str,
    spec: &DatabaseSpec,
    list: &BlockList,
    root: Hash,
) -> Result<Cid, CatchUpError> {
    // of its own each time, so that one that ends does not unpin another's
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let around = BlockList {
        blocks: list.blocks,
        by: format!("{tag}, taking over {}", COUNT.fetch_add(1, Ordering::Relaxed)),
        database: list.database,
        depth: list.depth.saturating_add(1),
        links: vec![root.cid()],
    };
    let (hash, car) = around.to_car();
    kubo.dag_import(vec![car], BlockList::MAX_BYTES).await?;
    let name = pin_name::of_catching_up(spec, tag);
    kubo.pin_add_from_peers(&hash.cid(), &name).await?;
    Ok(hash.cid())
}

struct Taking<'t> {
    node: &'t Node,
    kubo: &'t Kubo,
    spec: DatabaseSpec,
    log: String,
    encryption: Encryption,
    waiting: Waiting,
    /// Identities that were fetched: they come before the entries that name them.
    identities: HashMap<Hash, Vec<u8>>,
    done: CaughtUp,
}

impl Taking<'_> {
    async fn take(&mut self, root: Hash) -> Result<(), CatchUpError> {
        let mut blocks = self.kubo.dag_export(&root.cid()).await?;
        let mut batch = Batch::default();
        while let Some((cid, bytes)) = blocks.next().await? {
            self.sort(&cid, &bytes, &mut batch);
            if batch.is_full() {
                self.join(std::mem::take(&mut batch)).await?;
            }
        }
        self.join(batch).await?;
        self.fetch_missing().await?;
        self.done.waiting = self.waiting.values().map(Vec::len).sum::<usize>() as u64;
        Ok(())
    }

    /// Sorts a block, whose hash was checked; lists, manifests and what belongs to other logs are not needed.
    fn sort(&mut self, cid: &Cid, bytes: &[u8], batch: &mut Batch) {
        let Some(hash) = Hash::from_either_cid(cid) else { return };
        if Entry::open(bytes, &self.encryption).is_ok_and(|entry| entry.log().to_string() == self.log) {
            batch.bytes += bytes.len();
            batch.entries.push_back((hash, bytes.to_vec()));
        } else if self.identities.len() < MAX_IDENTITIES && IdentityBlock::decode(bytes).is_ok() {
            self.identities.insert(hash, bytes.to_vec());
        }
    }

    /// Joins what was fetched, and what waited for it.
    async fn join(&mut self, batch: Batch) -> Result<(), CatchUpError> {
        if batch.entries.is_empty() {
            return Ok(());
        }
        let (spec, mut queue) = (self.spec.clone(), batch.entries);
        let (mut waiting, identities) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.identities));
        let joined = self.node.write(Durability::Local, move |writer| {
            let database = writer.open(&spec)?;
            let mut done = CaughtUp::default();
            while let Some((hash, entry)) = queue.pop_front() {
                let mut joined = writer.join(database, &entry);
                if let Err(JoinError::UnknownIdentity(unknown)) = &joined
                    && let Some(identity) = identities.get(unknown)
                {
                    joined = writer.add_identity(identity).and_then(|_| writer.join(database, &entry));
                }
                match joined {
                    Ok(new) => {
                        if new {
                            done.joined += 1;
                        } else {
                            done.known += 1;
                        }
                        queue.extend(waiting.remove(&hash).into_iter().flatten());
                    }
                    Err(JoinError::Log(LogError::Missing(missing))) => {
                        waiting.entry(missing).or_default().push((hash, entry));
                    }
                    Err(JoinError::Read(error)) => return Err(CatchUpError::Read(error)),
                    Err(error) => {
                        done.refused += 1;
                        if done.reasons.len() < MAX_LISTED {
                            done.reasons.push((hash, error));
                        }
                    }
                }
            }
            Ok((done, waiting, identities))
        });
        let (done, waiting, identities) = joined.await.map_err(|error| match error {
            CommitError::Job(error) => error,
            other => CatchUpError::Commit(Box::new(other)),
        })?;
        (self.waiting, self.identities) = (waiting, identities);
        self.done.joined += done.joined;
        self.done.known += done.known;
        self.done.refused += done.refused;
        let room = MAX_LISTED.saturating_sub(self.done.reasons.len());
        self.done.reasons.extend(done.reasons.into_iter().take(room));
        if self.waiting.values().flatten().map(|(_, entry)| entry.len()).sum::<usize>() > MAX_WAITING {
            return Err(CatchUpError::NotWhole);
        }
        Ok(())
    }

    /// Asks the daemon, or whoever it asks, for the entries that others wait for.
    async fn fetch_missing(&mut self) -> Result<(), CatchUpError> {
        let mut asked: HashSet<Hash> = HashSet::new();
        let mut not_found = 0;
        loop {
            let mut batch = Batch::default();
            let wanted: Vec<Hash> = self.waiting.keys().filter(|hash| !asked.contains(*hash)).copied().collect();
            for hash in wanted {
                if asked.len() >= MAX_SINGLE || not_found >= MAX_NOT_FOUND || batch.is_full() {
                    break;
                }
                asked.insert(hash);
                let Some(block) = self.kubo.block_get(&hash.cid(), BLOCK_WITHIN).await? else {
                    not_found += 1;
                    continue;
                };
                let identity = Entry::open(&block, &self.encryption).ok().map(|entry| entry.identity());
                if let Some(identity) = identity.filter(|identity| !self.identities.contains_key(identity))
                    && let Some(block) = self.kubo.block_get(&identity.cid(), BLOCK_WITHIN).await?
                {
                    self.sort(&identity.cid(), &block, &mut batch);
                }
                self.sort(&hash.cid(), &block, &mut batch);
            }
            if batch.entries.is_empty() {
                return Ok(());
            }
            self.join(batch).await?;
        }
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}
