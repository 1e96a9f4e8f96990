use super::{BlockList, BlockListError, pin_name};
use crate::{
    CommitError, DatabaseSpec, Durability, Entry, Hash, IdentityBlock, JoinError, LogError, Node, OpenDatabaseError,
    ReadError,
};
use debros_ipfs::{CarWriter, Cid, Kubo, KuboError};
use std::{collections::HashMap, time::Duration};

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

/// Entries and identities that were fetched and not joined yet.
#[derive(Default)]
struct Batch {
    entries: Vec<(Hash, Vec<u8>)>,
    identities: Vec<Vec<u8>>,
    bytes: usize,
}

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
    let mut taking =
        Taking { node, kubo, spec, log: address.to_string(), waiting: Vec::new(), done: CaughtUp::default() };
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
    let around = BlockList {
        blocks: list.blocks,
        by: tag.to_owned(),
        database: list.database,
        depth: list.depth.saturating_add(1),
        links: vec![root.cid()],
    };
    let (hash, bytes) = around.encode();
    let mut car = CarWriter::new(&[hash.cid()]);
    car.block(&hash.cid(), &bytes);
    kubo.dag_import(vec![car.finish()], bytes.len()).await?;
    let name = pin_name::of_catching_up(spec, tag);
    kubo.pin_add_from_peers(&hash.cid(), &name).await?;
    Ok(hash.cid())
}

struct Taking<'t> {
    node: &'t Node,
    kubo: &'t Kubo,
    spec: DatabaseSpec,
    log: String,
    /// Entries that follow one that is not here.
    waiting: Vec<(Hash, Vec<u8>)>,
    done: CaughtUp,
}

impl Taking<'_> {
    async fn take(&mut self, root: Hash) -> Result<(), CatchUpError> {
        let mut blocks = self.kubo.dag_export(&root.cid()).await?;
        let mut batch = Batch::default();
        while let Some((cid, bytes)) = blocks.next().await? {
            batch.add(&cid, &bytes, &self.log);
            if batch.is_full() {
                self.join(std::mem::take(&mut batch)).await?;
            }
        }
        self.join(batch).await?;
        self.fetch_missing().await?;
        self.done.waiting = self.waiting.len() as u64;
        Ok(())
    }

    /// Joins what was fetched, and what waited for it.
    async fn join(&mut self, mut batch: Batch) -> Result<(), CatchUpError> {
        batch.entries.splice(0..0, std::mem::take(&mut self.waiting));
        if batch.entries.is_empty() && batch.identities.is_empty() {
            return Ok(());
        }
        let spec = self.spec.clone();
        let joined = self.node.write(Durability::Local, move |writer| {
            let database = writer.open(&spec)?;
            let mut done = CaughtUp::default();
            for identity in &batch.identities {
                // one that is not valid is refused with the entries that name it
                if let Err(JoinError::Read(error)) = writer.add_identity(identity) {
                    return Err(CatchUpError::Read(error));
                }
            }
            let mut rest = batch.entries;
            loop {
                let before = rest.len();
                let mut waiting = Vec::new();
                for (hash, entry) in rest {
                    match writer.join(database, &entry) {
                        Ok(true) => done.joined += 1,
                        Ok(false) => done.known += 1,
                        Err(JoinError::Log(LogError::Missing(_))) => waiting.push((hash, entry)),
                        Err(JoinError::Read(error)) => return Err(CatchUpError::Read(error)),
                        Err(error) => {
                            done.refused += 1;
                            done.reasons.push((hash, error));
                        }
                    }
                }
                rest = waiting;
                // entries come in the order of their log, so this seldom goes round twice
                if rest.len() == before || rest.is_empty() {
                    return Ok((done, rest));
                }
            }
        });
        let (done, waiting) = joined.await.map_err(|error| match error {
            CommitError::Job(error) => error,
            other => CatchUpError::Commit(Box::new(other)),
        })?;
        self.done.joined += done.joined;
        self.done.known += done.known;
        self.done.refused += done.refused;
        let room = MAX_LISTED.saturating_sub(self.done.reasons.len());
        self.done.reasons.extend(done.reasons.into_iter().take(room));
        self.waiting = waiting;
        if self.waiting.iter().map(|(_, entry)| entry.len()).sum::<usize>() > MAX_WAITING {
            return Err(CatchUpError::NotWhole);
        }
        Ok(())
    }

    /// Asks the daemon, or whoever it asks, for the entries that others wait for.
    async fn fetch_missing(&mut self) -> Result<(), CatchUpError> {
        let mut asked: HashMap<Hash, bool> = HashMap::new();
        while !self.waiting.is_empty() && asked.len() < MAX_SINGLE {
            let known: HashMap<Hash, ()> = self.waiting.iter().map(|(hash, _)| (*hash, ())).collect();
            let mut batch = Batch::default();
            let snapshot = self.node.snapshot().map_err(ReadError::from)?;
            let entries = self.waiting.iter().filter_map(|(_, entry)| Entry::decode(entry).ok());
            let wanted: Vec<Hash> = entries.flat_map(|entry| [entry.next(), entry.refs()].concat()).collect();
            for hash in wanted {
                if known.contains_key(&hash)
                    || asked.contains_key(&hash)
                    || crate::ReadDocuments::block(&snapshot, &hash)?.is_some()
                {
                    continue;
                }
                let block = self.kubo.block_get(&hash.cid(), BLOCK_WITHIN).await?;
                asked.insert(hash, block.is_some());
                let Some(entry) = block else { continue };
                if let Ok(entry) = Entry::decode(&entry)
                    && let Some(identity) = self.kubo.block_get(&entry.identity().cid(), BLOCK_WITHIN).await?
                {
                    batch.add(&entry.identity().cid(), &identity, &self.log);
                }
                batch.add(&hash.cid(), &entry, &self.log);
            }
            if batch.entries.is_empty() {
                return Ok(());
            }
            self.join(batch).await?;
        }
        Ok(())
    }
}

impl Batch {
    /// Sorts a block, whose hash was checked; lists, manifests and what belongs to other logs are not needed.
    fn add(&mut self, cid: &Cid, bytes: &[u8], log: &str) {
        let Some(hash) = Hash::from_cid(cid) else { return };
        if Entry::decode(bytes).is_ok_and(|entry| entry.log().to_string() == log) {
            self.entries.push((hash, bytes.to_vec()));
            self.bytes += bytes.len();
        } else if IdentityBlock::decode(bytes).is_ok() {
            self.identities.push(bytes.to_vec());
            self.bytes += bytes.len();
        }
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH || self.bytes >= BATCH_BYTES
    }
}
