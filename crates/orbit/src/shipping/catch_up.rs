use super::{BlockList, BlockListError, pin_name};
use crate::{
    CommitError, DatabaseId, DatabaseSpec, Durability, Encryption, Entry, Hash, Hold, IdentityBlock, Node,
    OpenDatabaseError, ReadDocuments as _, ReadError, Wanted,
};
use debros_ipfs::{Cid, Kubo, KuboError};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

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
    let (opened, log) = (spec.clone(), address.to_string());
    let database = node.write(Durability::Local, move |writer| writer.open(&opened)).await;
    let database = database.map_err(|error| match error {
        CommitError::Job(error) => CatchUpError::Open(error),
        other => CatchUpError::Commit(Box::new(other)),
    })?;
    let encryption = node.encryption(&address);
    let (held, done) = (HashSet::new(), CaughtUp::default());
    let mut taking = Taking { node, kubo, database, log, encryption, held, done };
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
    database: DatabaseId,
    log: String,
    encryption: Encryption,
    /// Entries that are held back, at first.
    held: HashSet<Hash>,
    done: CaughtUp,
}

impl Taking<'_> {
    async fn take(&mut self, root: Hash) -> Result<(), CatchUpError> {
        let mut blocks = self.kubo.dag_export(&root.cid()).await?;
        let mut batch = Batch::default();
        while let Some((_, bytes)) = blocks.next().await? {
            self.sort(bytes.to_vec(), &mut batch);
            if batch.is_full() {
                self.join(std::mem::take(&mut batch)).await?;
            }
        }
        self.join(batch).await?;
        self.fetch_missing().await?;
        self.node.settle().await;
        let snapshot = self.node.snapshot().map_err(ReadError::from)?;
        for held in snapshot.held(Some(self.database)) {
            let held = held?;
            if !self.held.remove(&held.hash) {
                continue;
            }
            match held.hold {
                Hold::Missing | Hold::Identity(_) => self.done.waiting += 1,
                hold => self.refuse(held.hash, &hold),
            }
        }
        // the others were released
        self.done.joined += self.held.len() as u64;
        Ok(())
    }

    /// Sorts a block, whose hash was checked; lists, manifests and what belongs to other logs are not needed.
    fn sort(&self, block: Vec<u8>, batch: &mut Batch) {
        batch.bytes += block.len();
        // an entry, one that cannot be opened, or what others build on although it is none
        let is_entry = match Entry::open(&block, &self.encryption) {
            Ok(entry) => entry.log().to_string() == self.log,
            Err(_) => Encryption::is_sealed(&block) || Entry::links_of(&block).iter().next().is_some(),
        };
        if is_entry {
            batch.entries.push(block);
        } else if IdentityBlock::decode(&block).is_ok() {
            batch.identities.push(block);
        }
    }

    /// Takes what was fetched.
    async fn join(&mut self, batch: Batch) -> Result<(), CatchUpError> {
        let Batch { entries, identities, .. } = batch;
        let receipt = self.node.receive(self.database, FROM, identities, entries).await;
        let receipt = receipt.map_err(|error| CatchUpError::Commit(Box::new(error)))?;
        self.done.joined += receipt.joined;
        self.done.known += receipt.known;
        self.held.extend(receipt.held.iter().map(|(hash, _)| *hash));
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
            self.node.settle().await;
            let snapshot = self.node.snapshot().map_err(ReadError::from)?;
            let wanted = snapshot.wanted(Some(self.database), MAX_SINGLE)?;
            drop(snapshot);
            let mut batch = Batch::default();
            for hash in wanted.iter().map(Wanted::hash) {
                if asked.len() >= MAX_SINGLE || not_found >= MAX_NOT_FOUND || batch.is_full() {
                    break;
                }
                if !asked.insert(hash) {
                    continue;
                }
                match self.kubo.block_get(&hash.cid(), BLOCK_WITHIN).await? {
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

impl Batch {
    fn is_full(&self) -> bool {
        self.entries.len() + self.identities.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}
