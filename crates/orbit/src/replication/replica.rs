use super::{
    exchange::{OURS, exchange, fitting, name},
    replicator::{Exchanged, Replicator},
    slots::Slots,
};
use crate::{
    DatabaseInfo, Entry, Hash, Hold, JoinError, Limits, Node, ReadDocuments as _, ReadError, Receipt, ReceiveError,
    Received, ReplicationEvent, Snapshot, state::held,
};
use debros_ipfs::{
    Bytes, Durability, IncomingStreams, Network, PeerId, PeerStream, ReadState as _, StreamError, TopicMessage, Verdict,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch},
    task::{JoinSet, spawn_blocking},
};

/// So many messages of a database wait to be looked at; more are left out.
pub(super) const MESSAGES: usize = 256;
/// So many are taken together.
const TOGETHER: usize = 64;
/// So many exchanges with one peer, of one database, that the peer has begun.
const ANSWERS: usize = 2;
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
    /// For exchanges that are begun here, of all databases.
    pub(super) begun: Arc<Slots>,
    /// And for those that peers begin.
    pub(super) answered: Arc<Slots>,
    /// Those of this one that each peer has begun.
    pub(super) answering: Mutex<HashMap<PeerId, Arc<Semaphore>>>,
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
    /// A peer that is to stay connected was dialled in vain.
    NotReached(PeerId),
    /// A node of this kind begins an exchange about the database with this manifest.
    Asked(PeerId, PeerStream, Hash),
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
        let Some(_slot) = self.begun.take(peer).await else { return };
        let how = match self.begin_exchange(peer).await {
            Ok(items) => {
                let heads = items.iter().map(|item| Hash::of(item)).collect();
                // said before anything joins, so that it is known who has what joins
                self.done(Done::Exchanged(self.clone(), peer, Exchanged::Heads(heads)));
                return self.take(peer, items).await;
            }
            Err(how) => how,
        };
        self.done(Done::Exchanged(self.clone(), peer, how));
    }

    async fn begin_exchange(&self, peer: PeerId) -> Result<Vec<Vec<u8>>, Exchanged> {
        let is_ours = self.is_ours(&peer);
        let protocol = if is_ours { OURS.to_owned() } else { self.protocol() };
        let mut stream = self.network.open(peer, &protocol).await.map_err(|error| match error {
            StreamError::Unsupported { .. } => Exchanged::Unsupported,
            _ => Exchanged::Failed,
        })?;
        if is_ours {
            name(&mut stream, &self.info.address.manifest()).await.ok_or(Exchanged::Failed)?;
        }
        self.run_exchange(peer, stream).await.ok_or(Exchanged::Failed)
    }

    /// Answers the exchanges that JavaScript's peers begin.
    pub(super) async fn answer_all(self: Arc<Parts>, mut streams: IncomingStreams) {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                stream = streams.next() => match stream {
                    Some((peer, stream)) => drop(tasks.spawn(self.clone().answer(peer, stream))),
                    None => return,
                },
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// Answers an exchange that a peer begins.
    pub(super) async fn answer(self: Arc<Parts>, peer: PeerId, stream: PeerStream) {
        // one that exchanges without end is not listened to
        let Some(_of_peer) = self.answering(peer) else { return };
        let Some(_slot) = self.answered.take(peer).await else { return };
        if let Some(items) = self.run_exchange(peer, stream).await {
            let heads = items.iter().map(|item| Hash::of(item)).collect();
            self.done(Done::Told(self.clone(), peer, heads));
            self.take(peer, items).await;
        }
    }

    /// Room for another exchange with a peer that the peer has begun, if there is any.
    fn answering(&self, peer: PeerId) -> Option<OwnedSemaphorePermit> {
        let mut answering = self.answering.lock().unwrap_or_else(PoisonError::into_inner);
        answering.retain(|_, permits| permits.available_permits() < ANSWERS);
        let permits = answering.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(ANSWERS)));
        permits.clone().try_acquire_owned().ok()
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
        self.network.is_debros(peer)
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
        let (data, limits, encryption) = (data.clone(), self.limits.clone(), self.node.encryption(&self.info.address));
        let Ok(received) = spawn_blocking(move || Received::read(&data, &limits, &encryption)).await else {
            return (Verdict::Unknown, None);
        };
        match (received.entry().map(Entry::log), received.refusal()) {
            (Some(log), None) if log == self.info.address => (Verdict::Good, Some(received)),
            // without its key nobody can say
            (_, Some(refusal)) if Hold::of(refusal) == Some(Hold::Sealed) => (Verdict::Unknown, Some(received)),
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
