use super::{
    exchange::{exchange, fitting},
    replicator::{Exchanged, Replicator},
};
use crate::{
    DatabaseInfo, Entry, Hash, Hold, JoinError, Limits, Node, ReadDocuments as _, ReadError, Receipt, ReceiveError,
    Received, ReplicationEvent, Snapshot, state::held,
};
use debros_ipfs::{
    Bytes, Durability, IncomingStreams, Network, PeerId, PeerStream, ReadState as _, StreamError, TopicMessage, Verdict,
};
use std::{collections::HashMap, sync::Arc};
use tokio::{
    sync::{Notify, Semaphore, broadcast, mpsc, watch},
    task::{JoinSet, spawn_blocking},
};

/// So many messages of a database wait to be looked at; more are left out.
pub(super) const MESSAGES: usize = 256;
/// So many are taken together.
const TOGETHER: usize = 64;
/// So many exchanges with one peer, of one database, that the peer has begun.
const EXCHANGES: usize = 2;
/// So many heads that do not fit an exchange are published instead.
const PUBLISHED: usize = 16;

/// The database of a peer, as far as replicating it needs to know it.
pub(super) struct Replica {
    pub(super) replicator: Replicator,
    /// What comes by the topic.
    pub(super) messages: mpsc::Sender<TopicMessage>,
    pub(super) parts: Arc<Parts>,
    /// The peers that replicate it, for whoever fetches.
    pub(super) peers: watch::Sender<Vec<PeerId>>,
    /// Ended with it.
    pub(super) tasks: JoinSet<()>,
}

/// What the tasks of a database share.
pub(super) struct Parts {
    pub(super) node: Node,
    pub(super) network: Network,
    pub(super) info: Arc<DatabaseInfo>,
    pub(super) limits: Limits,
    /// Exchanges of all databases, at a time.
    pub(super) exchanges: Arc<Semaphore>,
    pub(super) told: broadcast::Sender<ReplicationEvent>,
    pub(super) done: mpsc::UnboundedSender<Done>,
    /// There may be something to fetch.
    pub(super) fetch: Notify,
}

/// What a task has done, for the replicator.
pub(super) enum Done {
    /// An exchange that was begun here.
    Exchanged(Arc<Parts>, PeerId, Exchanged),
    /// One that the peer has begun.
    Told(Arc<Parts>, PeerId, Vec<Hash>),
    /// What came by the topic.
    Heard(Arc<Parts>, Vec<Hash>),
}

impl Parts {
    /// The topic of the database.
    pub(super) fn topic(&self) -> String {
        self.info.address.to_string()
    }

    /// The protocol in which its heads are exchanged.
    pub(super) fn protocol(&self) -> String {
        format!("/orbitdb/heads{}", self.info.address)
    }

    /// An end of the channel that nobody reads means that everything ends.
    fn done(&self, done: Done) {
        let _ = self.done.send(done);
    }

    /// Exchanges heads with a peer.
    pub(super) async fn exchange_with(self: Arc<Parts>, peer: PeerId) {
        // never closed
        let Ok(_permit) = self.exchanges.acquire().await else { return };
        let stream = match self.network.open(peer, &self.protocol()).await {
            Ok(stream) => stream,
            Err(StreamError::Unsupported { .. }) => {
                return self.done(Done::Exchanged(self.clone(), peer, Exchanged::Unsupported));
            }
            Err(_) => return self.done(Done::Exchanged(self.clone(), peer, Exchanged::Failed)),
        };
        let how = match self.run_exchange(peer, stream).await {
            Some(items) => {
                let heads = items.iter().map(|item| Hash::of(item)).collect();
                // said before anything joins, so that it is known who has what joins
                self.done(Done::Exchanged(self.clone(), peer, Exchanged::Heads(heads)));
                self.take(peer, items).await;
                return;
            }
            None => Exchanged::Failed,
        };
        self.done(Done::Exchanged(self.clone(), peer, how));
    }

    /// Answers the exchanges that peers begin.
    pub(super) async fn answer(self: Arc<Parts>, mut streams: IncomingStreams) {
        let mut tasks = JoinSet::new();
        let mut of_peer: HashMap<PeerId, Arc<Semaphore>> = HashMap::new();
        loop {
            tokio::select! {
                stream = streams.next() => {
                    let Some((peer, stream)) = stream else { return };
                    of_peer.retain(|_, permits| permits.available_permits() < EXCHANGES);
                    let permits = of_peer.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(EXCHANGES)));
                    // one that exchanges without end is not listened to
                    let Ok(of_peer) = permits.clone().try_acquire_owned() else { continue };
                    let this = self.clone();
                    tasks.spawn(async move {
                        let Ok(_permit) = this.exchanges.acquire().await else { return };
                        if let Some(items) = this.run_exchange(peer, stream).await {
                            let heads = items.iter().map(|item| Hash::of(item)).collect();
                            this.done(Done::Told(this.clone(), peer, heads));
                            this.take(peer, items).await;
                        }
                        drop(of_peer);
                    });
                }
                Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            }
        }
    }

    async fn run_exchange(&self, peer: PeerId, stream: PeerStream) -> Option<Vec<Vec<u8>>> {
        let heads = self.heads().ok()?;
        let (fit, rest) = fitting(heads, !self.is_ours(&peer));
        let items = exchange(stream, &fit).await?;
        for head in rest.into_iter().take(PUBLISHED) {
            if !items.iter().any(|item| item[..] == head[..]) {
                self.publish(head.to_vec()).await;
            }
        }
        Some(items)
    }

    /// Is it a node of this kind, which reads heads whatever the frames are in which they come?
    fn is_ours(&self, peer: &PeerId) -> bool {
        let agent = self.network.peers().into_iter().find(|known| known.id == *peer).and_then(|peer| peer.agent);
        agent.is_some_and(|agent| agent.starts_with("debros/"))
    }

    /// The blocks of the heads, newest first.
    fn heads(&self) -> Result<Vec<Bytes>, ReadError> {
        let snapshot = self.node.snapshot()?;
        let mut blocks = Vec::new();
        for head in snapshot.heads(self.info.id)? {
            blocks.extend(snapshot.block(&head)?);
        }
        Ok(blocks)
    }

    pub(super) async fn publish_entry(self: Arc<Parts>, hash: Hash) {
        if let Ok(Some(block)) =
            self.node.snapshot().map_err(ReadError::from).and_then(|snapshot| snapshot.block(&hash))
        {
            self.publish(block.to_vec()).await;
        }
    }

    async fn publish(&self, block: Vec<u8>) {
        // what the topic does not take, an exchange or Bitswap does
        let _ = self.network.publish(&self.topic(), block).await;
    }

    /// Takes entries that came from a peer.
    async fn take(&self, peer: PeerId, mut items: Vec<Vec<u8>>) {
        let Ok(snapshot) = self.node.snapshot() else { return };
        items.retain(|item| is_new(&snapshot, &self.info, &Hash::of(item)).unwrap_or(true));
        if items.is_empty() {
            return;
        }
        // an error is the store's: whoever writes is told, and peers send it again
        if let Ok(receipt) = self.node.receive(self.info.id, &peer.to_string(), Vec::new(), items).await {
            self.received(Some(peer), receipt);
        }
    }

    /// A block, from here or from peers, these before others; `None`, if none of them has it now.
    pub(super) async fn fetch(&self, hash: &Hash, first: &[PeerId]) -> Option<Bytes> {
        if let Ok(Some(block)) = self.node.snapshot().ok()?.block(hash) {
            return Some(block);
        }
        self.network.find(&hash.cid(), first).await.ok()
    }

    /// Tells what became of what was received.
    pub(super) fn received(&self, peer: Option<PeerId>, receipt: Receipt) {
        let Receipt { joined, mut held, .. } = receipt;
        if !held.is_empty() {
            self.fetch.notify_one();
        }
        held.retain(|(_, hold)| !matches!(hold, Hold::Missing | Hold::Identity(_)));
        if joined > 0 || !held.is_empty() {
            // without anyone who listens
            let _ = self.told.send(ReplicationEvent::Received { database: self.info.id, peer, joined, held });
        }
    }

    /// Looks at what comes by the topic.
    pub(super) async fn listen(self: Arc<Parts>, mut messages: mpsc::Receiver<TopicMessage>) {
        let mut waiting = Vec::new();
        while messages.recv_many(&mut waiting, TOGETHER).await > 0 {
            let mut by_peer: HashMap<PeerId, Vec<Received>> = HashMap::new();
            for message in waiting.drain(..) {
                let (verdict, entry) = self.judge(&message.data).await;
                self.network.judge(&message, verdict);
                if let Some(entry) = entry {
                    by_peer.entry(message.peer).or_default().push(entry);
                }
            }
            for (peer, entries) in by_peer {
                self.done(Done::Heard(self.clone(), entries.iter().map(Received::hash).collect()));
                let (database, from) = (self.info.id, peer.to_string());
                let taken: Result<Receipt, ReceiveError> = self
                    .node
                    .write(Durability::Local, move |writer| writer.receive(database, entries, &from))
                    .await
                    .map_err(ReceiveError::from);
                if let Ok(receipt) = taken {
                    self.received(Some(peer), receipt);
                }
            }
        }
    }

    /// What a message is worth, and the entry in it, if it is one of this database that is not here.
    async fn judge(&self, data: &Bytes) -> (Verdict, Option<Received>) {
        let Ok(snapshot) = self.node.snapshot() else { return (Verdict::Unknown, None) };
        match is_new(&snapshot, &self.info, &Hash::of(data)) {
            Ok(true) => {}
            Ok(false) => return (Verdict::Good, None),
            Err(_) => return (Verdict::Unknown, None),
        }
        let (data, limits) = (data.clone(), self.limits.clone());
        let Ok(received) = spawn_blocking(move || Received::read(&data, &limits)).await else {
            return (Verdict::Unknown, None);
        };
        match (received.entry().map(Entry::log), received.refusal()) {
            (Some(log), None) if log == self.info.address => (Verdict::Good, Some(received)),
            _ => (Verdict::Bad, None),
        }
    }
}

/// Is there something to learn from an entry that has come?
pub(super) fn is_new(snapshot: &Snapshot, info: &DatabaseInfo, hash: &Hash) -> Result<bool, JoinError> {
    Ok(match held(&snapshot.state, info.id, hash)? {
        // one that was forgotten is judged anew
        Some(row) => row.held.is_none(),
        None => snapshot.state.block(&hash.cid()).map_err(ReadError::from)?.is_none(),
    })
}
