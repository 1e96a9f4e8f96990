use super::{
    acknowledgements::Acknowledgements,
    conduct::Fault,
    conversation::{Ended, converse},
    heads_protocol::{exchange, fitting},
    message::Message,
    replicator::{Exchanged, Replicator},
    slots::Slots,
    standing::{forged, is_new, judge, judge_known},
    sync_protocol::{OURS, name},
};
use crate::{
    DatabaseInfo, Hash, Limits, Node, ReadDocuments as _, ReadError, Receipt, ReceiveError, Received, ReplicationEvent,
    Snapshot,
};
use debros_ipfs::{
    Bytes, Durability, IncomingStreams, Network, PeerId, PeerStream, StreamError, TopicMessage, Verdict,
};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

/// So many messages of a database wait to be looked at; more are left out.
pub(super) const MESSAGES: usize = 256;
/// So many are taken together.
const TOGETHER: usize = 64;
/// So many exchanges with one peer, of one database, that the peer has begun.
pub(super) const ANSWERS: usize = 2;
/// So long an exchange that a peer has begun waits for its turn.
const FOR_A_SLOT: Duration = Duration::from_secs(30);
/// So long a peer may take to hear that there is another exchange.
const BUSY: Duration = Duration::from_secs(10);
/// So many heads that do not fit an exchange are published instead.
pub(super) const PUBLISHED: usize = 16;

/// The database of a peer, as far as replicating it needs to know it.
pub(super) struct Replica {
    pub(super) replicator: Replicator,
    pub(super) acknowledgements: Acknowledgements,
    /// What comes by the topic.
    pub(super) messages: mpsc::Sender<TopicMessage>,
    pub(super) parts: Arc<Parts>,
    /// What is to be published, in this order.
    pub(super) publish: mpsc::Sender<Hash>,
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
    /// What is sent to peers that lack it.
    pub(super) supplied: Arc<Slots>,
    /// Large messages that came and were not taken yet.
    pub(super) large: Arc<Semaphore>,
    /// Those of this one that each peer has begun.
    pub(super) answering: Mutex<HashMap<PeerId, Arc<Semaphore>>>,
    /// The peers with which an exchange was begun here, of our kind.
    pub(super) with: Mutex<HashSet<PeerId>>,
    pub(super) told: broadcast::Sender<ReplicationEvent>,
    pub(super) done: mpsc::UnboundedSender<Done>,
    /// There may be something to fetch.
    pub(super) fetch: Notify,
}

/// What a task has done, for the replicator.
pub(super) enum Done {
    /// An exchange that was begun here.
    Exchanged(Arc<Parts>, PeerId, Exchanged),
    /// One that the peer has begun is being answered.
    Answers(Arc<Parts>, PeerId),
    /// And has ended; the heads of the peer, unless it broke off.
    Told(Arc<Parts>, PeerId, Option<Vec<Hash>>),
    /// Something that a peer has told of builds on what is not here.
    Lacks(Arc<Parts>, PeerId),
    /// What came by the topic.
    Heard(Arc<Parts>, Vec<Hash>),
    /// A peer has everything that was in the log at this moment, durable on its disk.
    Has(Arc<Parts>, PeerId, Instant),
    /// A peer did something that no honest one does, so many times.
    Fault(PeerId, Fault, u32),
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

    /// Exchanges heads with a peer, and with a node of our kind everything behind them.
    pub(super) async fn exchange_with(self: Arc<Parts>, peer: PeerId) {
        let Some(_slot) = self.begun.take(peer).await else { return };
        let how = if self.is_ours(&peer) { self.sync_with(peer).await } else { self.exchange_heads_with(peer).await };
        self.done(Done::Exchanged(self.clone(), peer, how));
    }

    async fn sync_with(self: &Arc<Parts>, peer: PeerId) -> Exchanged {
        self.with().insert(peer);
        let ended = async {
            let mut stream = self.network.open(peer, OURS).await.map_err(failed)?;
            name(&mut stream, &self.info.address.manifest()).await.ok_or(Exchanged::Failed)?;
            Ok(converse(self, peer, stream).await)
        };
        let ended = ended.await;
        self.with().remove(&peer);
        match ended {
            Ok(Ended::Busy) => Exchanged::Busy,
            Ok(ended) => self.ended(peer, ended).map_or(Exchanged::Failed, Exchanged::Heads),
            Err(how) => how,
        }
    }

    async fn exchange_heads_with(self: &Arc<Parts>, peer: PeerId) -> Exchanged {
        let stream = match self.network.open(peer, &self.protocol()).await {
            Ok(stream) => stream,
            Err(error) => return failed(error),
        };
        let Some(items) = self.exchange_heads(stream).await else { return Exchanged::Failed };
        let heads = items.iter().map(|item| Hash::of(item)).collect();
        self.take(peer, items).await;
        Exchanged::Heads(heads)
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

    /// Answers an exchange that a JavaScript peer begins.
    async fn answer(self: Arc<Parts>, peer: PeerId, stream: PeerStream) {
        // one that exchanges without end is not listened to
        let Some(_of_peer) = self.answering(peer) else { return };
        let Some(_slot) = self.answered.take(peer).await else { return };
        if let Some(items) = self.exchange_heads(stream).await {
            let heads = items.iter().map(|item| Hash::of(item)).collect();
            // said before anything joins, so that it is known who has what joins
            self.done(Done::Told(self.clone(), peer, Some(heads)));
            self.take(peer, items).await;
        }
    }

    /// Answers an exchange that a node of our kind begins.
    pub(super) async fn answer_sync(self: Arc<Parts>, peer: PeerId, stream: PeerStream) {
        let Some(_of_peer) = self.answering(peer) else { return };
        // each side begins one when they meet; that of the smaller id counts
        if self.with().contains(&peer) && self.network.id() < peer {
            let busy = Message::Busy.to_frame();
            // a peer that does not get it finds its stream at an end
            let _ = timeout(BUSY, stream.split().1.write_all(&busy)).await;
            return;
        }
        // a peer that waits longer begins anew
        let Ok(Some(_slot)) = timeout(FOR_A_SLOT, self.answered.take(peer)).await else { return };
        self.done(Done::Answers(self.clone(), peer));
        let ended = converse(&self, peer, stream).await;
        let heads = self.ended(peer, ended);
        self.done(Done::Told(self.clone(), peer, heads));
    }

    fn with(&self) -> std::sync::MutexGuard<'_, HashSet<PeerId>> {
        self.with.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells how an exchange with a node of our kind went. The heads of the peer, if it went well.
    fn ended(self: &Arc<Parts>, peer: PeerId, ended: Ended) -> Option<Vec<Hash>> {
        match ended {
            Ended::Well { outcome, begun, traffic } => {
                if outcome.joined {
                    self.done(Done::Has(self.clone(), peer, begun));
                }
                // without anyone who listens
                let _ = self.told.send(ReplicationEvent::Synced { database: self.info.id, peer, traffic });
                Some(outcome.heads)
            }
            Ended::Broken => {
                self.done(Done::Fault(peer, Fault::Protocol, 1));
                None
            }
            Ended::Busy | Ended::Badly => None,
        }
    }

    /// Room for another exchange with a peer that the peer has begun, if there is any.
    fn answering(&self, peer: PeerId) -> Option<OwnedSemaphorePermit> {
        let mut answering = self.answering.lock().unwrap_or_else(PoisonError::into_inner);
        answering.retain(|_, permits| permits.available_permits() < ANSWERS);
        let permits = answering.entry(peer).or_insert_with(|| Arc::new(Semaphore::new(ANSWERS)));
        permits.clone().try_acquire_owned().ok()
    }

    async fn exchange_heads(&self, stream: PeerStream) -> Option<Vec<Vec<u8>>> {
        let (fit, rest) = fitting(self.heads(&self.durable_snapshot().await?).ok()?);
        let items = exchange(stream, &fit).await?;
        for head in rest.into_iter().take(PUBLISHED) {
            if !items.iter().any(|item| item[..] == head[..]) {
                self.publish(head.to_vec()).await;
            }
        }
        Some(items)
    }

    /// Is it a node of our kind?
    pub(super) fn is_ours(&self, peer: &PeerId) -> bool {
        self.network.is_debros(peer)
    }

    /// The blocks of the heads, newest first.
    fn heads(&self, snapshot: &Snapshot) -> Result<Vec<Bytes>, ReadError> {
        let mut blocks = Vec::new();
        for head in snapshot.heads(self.info.id)? {
            blocks.extend(snapshot.block(&head)?);
        }
        Ok(blocks)
    }

    /// Publishes entries, one after the other.
    pub(super) async fn publish_all(self: Arc<Parts>, mut entries: mpsc::Receiver<Hash>) {
        while let Some(hash) = entries.recv().await {
            if let Some(Ok(Some(block))) = self.snapshot().map(|snapshot| snapshot.block(&hash)) {
                self.publish(block.to_vec()).await;
            }
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
        // JavaScript passes on whatever it took, so it is not blamed
        if let Ok(receipt) = self.node.receive(self.info.id, &peer.to_string(), Vec::new(), items).await {
            self.received(Some(peer), &receipt);
        }
    }

    /// Tells what became of what a peer sent.
    pub(super) fn taken(&self, peer: PeerId, receipt: &Result<Receipt, ReceiveError>) {
        // an error is the store's: whoever writes is told, and peers send it again
        if let Ok(receipt) = receipt {
            let forged = self.snapshot().map_or(0, |snapshot| forged(&snapshot, &self.info, receipt));
            self.forged(peer, forged);
            self.received(Some(peer), receipt);
        }
    }

    /// A peer sent so many entries that nobody should have made.
    pub(super) fn forged(&self, peer: PeerId, count: u32) {
        if count > 0 {
            self.done(Done::Fault(peer, Fault::Forged, count));
        }
    }

    /// The databases now; `None` when the node was closed.
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        self.node.snapshot().ok()
    }

    /// The databases as they are on the disk: what others may be told. `None` when the node was closed, or its store fails.
    pub(super) async fn durable_snapshot(&self) -> Option<Snapshot> {
        self.node.durable_snapshot().await.ok()
    }

    /// A block, from here or from peers, these before others; `None`, if none of them has it now.
    pub(super) async fn fetch(&self, hash: &Hash, first: &[PeerId]) -> Option<Bytes> {
        if let Ok(Some(block)) = self.node.snapshot().ok()?.block(hash) {
            return Some(block);
        }
        self.network.find(&hash.cid(), first).await.ok()
    }

    /// Tells what became of what was received.
    pub(super) fn received(&self, peer: Option<PeerId>, receipt: &Receipt) {
        let (joined, mut held) = (receipt.joined, receipt.held.clone());
        if !held.is_empty() {
            self.fetch.notify_one();
        }
        held.retain(|(_, hold)| !hold.lacks());
        if joined > 0 || !held.is_empty() {
            // without anyone who listens
            let _ = self.told.send(ReplicationEvent::Received { database: self.info.id, peer, joined, held });
        }
    }

    /// Looks at what comes by the topic.
    pub(super) async fn listen(self: Arc<Parts>, mut messages: mpsc::Receiver<TopicMessage>) {
        let mut waiting = Vec::new();
        while messages.recv_many(&mut waiting, TOGETHER).await > 0 {
            let mut by_peer: BTreeMap<PeerId, Vec<Received>> = BTreeMap::new();
            for message in waiting.drain(..) {
                let (verdict, entry) = self.judge(&message.data).await;
                self.network.judge(&message, verdict);
                // whoever made it is to blame, not who passes it on
                if verdict == Verdict::Bad && message.author == Some(message.peer) {
                    self.done(Done::Fault(message.peer, Fault::Forged, 1));
                }
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
                if let Ok(receipt) = &taken
                    && receipt.held.iter().any(|(_, hold)| hold.lacks())
                {
                    self.done(Done::Lacks(self.clone(), peer));
                }
                // it may have come through this peer from elsewhere
                if let Ok(receipt) = &taken {
                    self.received(Some(peer), receipt);
                }
            }
        }
    }

    /// What a message is worth, and the entry in it, if it is one of this database that is not here.
    async fn judge(&self, data: &Bytes) -> (Verdict, Option<Received>) {
        let Ok(snapshot) = self.node.snapshot() else { return (Verdict::Unknown, None) };
        match judge_known(&snapshot, &self.info, &Hash::of(data)) {
            Ok(None) => {}
            Ok(Some(verdict)) => return (verdict, None),
            Err(_) => return (Verdict::Unknown, None),
        }
        let (data, limits, encryption) = (data.clone(), self.limits.clone(), self.node.encryption(&self.info.address));
        let info = self.info.clone();
        let judged = spawn_blocking(move || judge(&data, &info, &limits, &encryption)).await;
        judged.unwrap_or((Verdict::Unknown, None))
    }
}

/// What it means that a stream could not be opened.
fn failed(error: StreamError) -> Exchanged {
    match error {
        StreamError::Unsupported { .. } => Exchanged::Unsupported,
        _ => Exchanged::Failed,
    }
}
