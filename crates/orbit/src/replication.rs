//! [`Replication`]: the databases of a node and those of its peers become the same.

mod acknowledgements;
mod clocks;
mod conduct;
mod conversation;
mod difference;
mod driver;
mod exchange;
mod fetch_plan;
mod fetcher;
mod frames;
mod heads_protocol;
mod message;
mod node_blocks;
mod pace;
mod redials;
mod remembered;
mod replica;
mod replicas;
mod replication_error;
mod replication_event;
mod replicator;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod slots;
mod standing;
mod supply;
mod sync_protocol;
mod sync_state;

pub use acknowledgements::NotReplicated;
pub use replication_error::ReplicationError;
pub use replication_event::{ReplicationEvent, ReplicationEvents, Traffic};
pub use sync_state::{PeerSync, SyncState};

use crate::{
    AccessAddress, Address, DatabaseId, Hash, Manifest, Node, ReadDocuments as _, ReadError, limits::MAX_WRITTEN,
};
use debros_ipfs::{CommitError, DialError, Durability, Multiaddr, Network, NetworkKey, NetworkOptions, Peer, PeerId};
use driver::{Driver, Wish};
use futures::future::select_all;
use node_blocks::NodeBlocks;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::sleep,
};

/// The file of the network's key, in the data folder.
const KEY_FILE: &str = "network-key";
/// So many events wait for whoever listens.
const EVENTS: usize = 1024;

/// The databases of a node and those of its peers become the same: [`Node::replicate`] begins it.
///
/// What is written here is told to peers once it is durable; what peers have is fetched and joins, or is held back, in the
/// background. A peer may be a node of this kind or a JavaScript OrbitDB. Heads are exchanged until both sides have the
/// same, so that a lost message leaves no gap.
///
/// A cheap clone. When the last one is dropped, it ends. Close it before the node.
///
/// ```no_run
/// # use debros_orbit::{DatabaseId, NetworkOptions, Node};
/// # async fn example(node: Node, notes: DatabaseId) -> Result<(), Box<dyn std::error::Error>> {
/// let replication = node.replicate(NetworkOptions::default()).await?;
/// replication.open(notes).await?;
/// println!("dial {:?}", replication.addresses());
/// replication.dial("/ip4/192.0.2.1/tcp/4001".parse()?).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Replication {
    node: Node,
    network: Network,
    wishes: mpsc::UnboundedSender<Wish>,
    /// Where peers are to be connected with that were not there yet.
    tried: Arc<Mutex<HashSet<Multiaddr>>>,
    told: broadcast::Sender<ReplicationEvent>,
}

impl Node {
    /// Takes part in the network, by a key of the data folder's own. No database is replicated yet.
    ///
    /// Every block of the node is given to peers who ask for it by its CID, whether or not its database is replicated.
    ///
    /// # Errors
    /// If it cannot listen where it should, or the key cannot be read or made.
    pub async fn replicate(&self, options: NetworkOptions) -> Result<Replication, ReplicationError> {
        let key = NetworkKey::open(&self.store().folder().join(KEY_FILE))?;
        let (network, events) = Network::start(key, options, Arc::new(NodeBlocks(self.clone()))).await?;
        let (wishes, granted) = mpsc::unbounded_channel();
        let told = broadcast::Sender::new(EVENTS);
        let driver = Driver::new(self.clone(), network.clone(), events, granted, told.clone());
        network.spawn(driver.run());
        Ok(Replication { node: self.clone(), network, wishes, told, tried: Arc::default() })
    }
}

impl Replication {
    /// The id by which peers know this node.
    pub fn id(&self) -> PeerId {
        self.network.id()
    }

    /// Where peers can dial this node.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.network.addresses()
    }

    /// The peers that are connected.
    pub fn peers(&self) -> Vec<Peer> {
        self.network.peers()
    }

    /// Connects to the peer at an address, and gives its id. When the connection ends, it is dialled again and again.
    ///
    /// # Errors
    /// If it cannot be reached. Then it is not dialled again.
    pub async fn dial(&self, address: Multiaddr) -> Result<PeerId, DialError> {
        let peer = self.network.dial(address.clone()).await?;
        // after the end there is nobody to keep it
        let _ = self.wishes.send(Wish::Keep { peer, address });
        Ok(peer)
    }

    /// Connects to the peer at an address as soon as it can be reached, however long that takes, and whenever the connection
    /// ends: the pauses double, up to a minute. Nothing, if it is being tried.
    pub fn keep(&self, address: Multiaddr) {
        if !self.tried.lock().unwrap_or_else(PoisonError::into_inner).insert(address.clone()) {
            return;
        }
        // it does not go on for the sake of a peer that was never there
        let (network, wishes, tried) = (self.network.clone(), self.wishes.downgrade(), self.tried.clone());
        self.network.spawn(async move {
            let mut pause = redials::PAUSE.0;
            while let Some(wishes) = wishes.upgrade() {
                match network.dial(address.clone()).await {
                    Ok(peer) => {
                        tried.lock().unwrap_or_else(PoisonError::into_inner).remove(&address);
                        // from now on the driver keeps it, if there is one
                        let _ = wishes.send(Wish::Keep { peer, address });
                        return;
                    }
                    Err(DialError::Unreachable { .. }) => {}
                    Err(_) => return,
                }
                drop(wishes);
                sleep(pause).await;
                pause = (2 * pause).min(redials::PAUSE.1);
            }
        });
    }

    /// Ends the connections with a peer, which is not dialled again. It may dial itself.
    pub fn disconnect(&self, peer: PeerId) {
        // after the end there are no connections
        let _ = self.wishes.send(Wish::Disconnect { peer });
    }

    /// Replicates a database from now on, and the one that says who may write it. Nothing, if it is replicated.
    ///
    /// # Errors
    /// If there is no such database, or state cannot be read.
    pub async fn open(&self, database: DatabaseId) -> Result<(), ReplicationError> {
        self.ask(|answer| Wish::Open { database, answer }).await?
    }

    /// Replicates it no more. Whether it was.
    ///
    /// # Errors
    /// If replication has ended.
    pub async fn close_database(&self, database: DatabaseId) -> Result<bool, ReplicationError> {
        self.ask(|answer| Wish::Shut { database, answer }).await
    }

    /// Opens a database of which only the address is known, in this family and with this tag, and replicates it. What it
    /// is made of comes from peers; it is waited for until one has it, so whoever does not want to wait any longer drops
    /// the future.
    ///
    /// # Errors
    /// If what peers have is no such thing, the database is open in another family, or the store fails.
    pub async fn open_address(
        &self,
        address: &Address,
        family: &str,
        tag: &[u8],
    ) -> Result<DatabaseId, ReplicationError> {
        let open = |source| ReplicationError::Open { address: *address, source: Box::new(source) };
        let mut blocks = HashMap::new();
        let manifest =
            Manifest::decode(self.block(address.manifest(), &mut blocks).await?).map_err(|e| open(e.into()))?;
        match manifest.access {
            AccessAddress::Ipfs(hash) | AccessAddress::Custom { block: hash, .. } => {
                self.block(hash, &mut blocks).await?;
            }
            AccessAddress::Orbitdb(controller) => {
                let inner = self.block(controller.manifest(), &mut blocks).await?;
                // another kind of access is refused below
                if let AccessAddress::Ipfs(hash) = Manifest::decode(inner).map_err(|e| open(e.into()))?.access {
                    self.block(hash, &mut blocks).await?;
                }
            }
        }
        let (to_open, family, tag) = (*address, family.to_owned(), tag.to_vec());
        let opened = self.node.write(Durability::Local, move |writer| {
            writer.open_address(&to_open, &family, &tag, |hash| blocks.get(hash).cloned())
        });
        let database = opened.await.map_err(|error| match error {
            CommitError::Job(error) => open(error),
            other => ReplicationError::Commit(Box::new(other)),
        })?;
        self.open(database).await?;
        Ok(database)
    }

    /// How far a database agrees with its peers.
    ///
    /// # Errors
    /// If it is not replicated, or state cannot be read.
    pub async fn sync(&self, database: DatabaseId) -> Result<SyncState, ReplicationError> {
        self.ask(|answer| Wish::Sync { database, answer }).await?
    }

    /// Waits until so many nodes of our kind have everything that is in the logs of these databases now, durable on their disks.
    ///
    /// # Errors
    /// If fewer say so within this time, or a database is not replicated.
    pub async fn replicated(
        &self,
        databases: &[DatabaseId],
        peers: usize,
        within: Duration,
    ) -> Result<(), NotReplicated> {
        let mut have = Vec::new();
        for database in databases {
            let (by, peers) = watch::channel(HashSet::new());
            // without a driver there are none
            let _ = self.wishes.send(Wish::Note { database: *database, by });
            have.push(peers);
        }
        // those that have all of them
        let with_all = |have: &mut [watch::Receiver<HashSet<PeerId>>]| {
            let sets = have.iter_mut().map(|peers| peers.borrow_and_update().clone());
            sets.reduce(|all, peers| &all & &peers).map_or(0, |all| all.len())
        };
        let deadline = tokio::time::Instant::now() + within;
        while !have.is_empty() && with_all(&mut have) < peers {
            let changed = select_all(have.iter_mut().map(|peers| Box::pin(peers.changed())));
            if !matches!(tokio::time::timeout_at(deadline, changed).await, Ok((Ok(()), ..))) {
                return Err(NotReplicated { wanted: peers, acknowledged: with_all(&mut have), within });
            }
        }
        Ok(())
    }

    /// What happens from now on.
    pub fn events(&self) -> ReplicationEvents {
        ReplicationEvents { events: self.told.subscribe() }
    }

    /// Runs something on the threads of the network, until it ends or the network does.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.network.spawn(work);
    }

    /// Leaves the network. The node stays open.
    pub async fn close(&self) {
        self.network.close().await;
    }

    async fn ask<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> Result<T, ReplicationError> {
        let (answer, answered) = oneshot::channel();
        self.wishes.send(wish(answer)).map_err(|_| ReplicationError::Closed)?;
        answered.await.map_err(|_| ReplicationError::Closed)
    }

    /// A block of a database that is to be opened.
    async fn block<'b>(
        &self,
        hash: Hash,
        blocks: &'b mut HashMap<Hash, Vec<u8>>,
    ) -> Result<&'b [u8], ReplicationError> {
        let here = self.node.snapshot().map_err(ReadError::from)?.block(&hash)?;
        let block = match here {
            Some(block) => block,
            None => self.network.fetch(&hash.cid(), &[]).await.map_err(|_| ReplicationError::Closed)?,
        };
        // what is too large is refused as missing
        let block = if block.len() <= MAX_WRITTEN { block.to_vec() } else { Vec::new() };
        Ok(blocks.entry(hash).or_insert(block))
    }
}

/// What would be said for a message that came.
#[cfg(feature = "fuzzing")]
pub(crate) fn repeat_message(body: &[u8]) -> Option<Vec<u8>> {
    let message = message::Message::from_body(body).ok()?;
    Some(message.to_frame().split_off(4))
}

impl fmt::Debug for Replication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replication").field("network", &self.network).finish_non_exhaustive()
    }
}
