use super::{
    acknowledgements::Acknowledgements,
    conduct::Conduct,
    fetcher::{Fetcher, MOST},
    frames::LARGE_ONES,
    redials::Redials,
    replica::{Done, MESSAGES, Parts, Replica},
    replicas::Replicas,
    replicator::{Action, Replicator},
    slots::Slots,
    standing::look,
    sync_protocol::{OURS, named},
};
use crate::{
    Address, DatabaseId, Hold, Limits, Node, PeerSync, ReadDocuments as _, ReadError, ReplicationError,
    ReplicationEvent, Snapshot, SyncState, Wanted, agenda::wait_until,
};
use debros_core::Timestamp;
use debros_ipfs::{IncomingStreams, Multiaddr, Network, NetworkEvent, NetworkEvents, PeerId, Verdict};
use futures::future::{Fuse, FusedFuture as _, FutureExt as _};
use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, Semaphore, broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};

/// So many exchanges are under way at a time, of all databases: with all peers together, and with one. As many again are
/// that peers have begun.
const EXCHANGES: (usize, usize) = (64, 8);

/// So many peers are sent at a time what they lack, and so much of that to one: what is found out for it takes memory.
const SUPPLIES: (usize, usize) = (8, 2);

/// A commit may be so many behind what is being written: one group is written to the disk while the next one gathers, and one more may
/// begin between looking at the commits and at what has happened.
const AHEAD: u64 = 3;

/// However many commits there are, the heads of databases are looked at only so often.
const LOOK: Duration = Duration::from_millis(2);

/// What the driver is asked to do.
pub(super) enum Wish {
    Open {
        database: DatabaseId,
        answer: oneshot::Sender<Result<(), ReplicationError>>,
    },
    Shut {
        database: DatabaseId,
        answer: oneshot::Sender<bool>,
    },
    Keep {
        peer: PeerId,
        address: Multiaddr,
    },
    Disconnect {
        peer: PeerId,
    },
    /// Notes the peers that have what is in the log now.
    Note {
        database: DatabaseId,
        by: watch::Sender<HashSet<PeerId>>,
    },
    Sync {
        database: DatabaseId,
        answer: oneshot::Sender<Result<SyncState, ReplicationError>>,
    },
}

/// Brings together what happens in the network and in the node with what a [`Replicator`] decides.
pub(super) struct Driver {
    node: Node,
    limits: Limits,
    network: Network,
    events: NetworkEvents,
    wishes: mpsc::UnboundedReceiver<Wish>,
    commits: watch::Receiver<u64>,
    redials: Redials,
    conduct: Conduct,
    replicas: Replicas,
    /// Databases with which something has happened, and until which commit they are looked at: it may not be committed yet.
    touched: HashMap<DatabaseId, u64>,
    topics: HashMap<String, DatabaseId>,
    /// Who listens to which topics, of those that are replicated and of others, which may be replicated later.
    subscribed: HashMap<PeerId, HashSet<String>>,
    begun: Arc<Slots>,
    answered: Arc<Slots>,
    supplied: Arc<Slots>,
    large: Arc<Semaphore>,
    told: broadcast::Sender<ReplicationEvent>,
    done: (mpsc::UnboundedSender<Done>, mpsc::UnboundedReceiver<Done>),
}

/// When the first entry came of those that wait for something that is not here.
fn pending_since(snapshot: &Snapshot, database: DatabaseId) -> Result<Option<Timestamp>, ReadError> {
    let mut first: Option<u64> = None;
    for held in snapshot.held(Some(database)).take(MOST) {
        let held = held?;
        if matches!(held.hold, Hold::Missing | Hold::Identity(_)) {
            first = Some(first.map_or(held.since, |first| first.min(held.since)));
        }
    }
    Ok(first.map(|since| Timestamp::from_millis(i64::try_from(since).unwrap_or(i64::MAX))))
}

impl Driver {
    pub(super) fn new(
        node: Node,
        network: Network,
        events: NetworkEvents,
        wishes: mpsc::UnboundedReceiver<Wish>,
        told: broadcast::Sender<ReplicationEvent>,
    ) -> Driver {
        let commits = node.store().commits();
        let limits = node.core().limits.clone();
        Driver {
            node,
            limits,
            network,
            events,
            wishes,
            commits,
            redials: Redials::default(),
            conduct: Conduct::default(),
            replicas: Replicas::new(),
            touched: HashMap::new(),
            topics: HashMap::new(),
            subscribed: HashMap::new(),
            begun: Arc::new(Slots::new(EXCHANGES.0, EXCHANGES.1)),
            answered: Arc::new(Slots::new(EXCHANGES.0, EXCHANGES.1)),
            supplied: Arc::new(Slots::new(SUPPLIES.0, SUPPLIES.1)),
            large: Arc::new(Semaphore::new(LARGE_ONES)),
            told,
            done: mpsc::unbounded_channel(),
        }
    }

    /// Goes on until it is not wanted any more, the network ends, or the node is closed.
    pub(super) async fn run(mut self) {
        let mut tasks = JoinSet::new();
        // nobody else in this process handles it: the network is this node's own
        if let Ok(streams) = self.network.accept(OURS) {
            tasks.spawn(listen(streams, self.done.0.clone()));
        }
        // when the heads are to be looked at, and when they were
        let (mut look, mut looked) = (None, Instant::now());
        let mut looking = pin!(Fuse::terminated());
        loop {
            let next =
                [self.replicas.next(), self.redials.next(), self.conduct.next(), look].into_iter().flatten().min();
            tokio::select! {
                wish = self.wishes.recv() => match wish {
                    Some(wish) => self.grant(wish),
                    None => break,
                },
                event = self.events.next() => match event {
                    Some(event) => self.happened(event),
                    None => break,
                },
                // `self` has the other end
                Some(done) = self.done.1.recv() => self.was_done(done),
                // an error means that the node was closed, or its store has failed
                snapshot = &mut looking => match snapshot {
                    Ok(snapshot) if self.look_at_heads(&snapshot).is_ok() => {}
                    _ => break,
                },
                changed = self.commits.changed(), if look.is_none() && looking.is_terminated() => match changed {
                    Ok(()) => look = Some(looked + LOOK),
                    Err(_) => break,
                },
                () = wait_until(next) => {}
            }
            let now = Instant::now();
            if look.is_some_and(|look| look <= now) {
                (look, looked) = (None, now);
                self.touch();
                // nobody is told what could still be forgotten here
                let node = self.node.clone();
                looking.set(async move { node.durable_snapshot().await }.fuse());
            }
            while let Some(replica) = self.replicas.due(now) {
                let actions = replica.replicator.due(now);
                replica.act(actions);
            }
            self.conduct.due(now).into_iter().for_each(|peer| self.network.readmit(peer));
            for (peer, addresses) in self.redials.due(now) {
                let (network, done) = (self.network.clone(), self.done.0.clone());
                tasks.spawn(async move {
                    for address in addresses {
                        if network.dial(address).await.is_ok() {
                            return;
                        }
                    }
                    // without a driver there is nobody to try again
                    let _ = done.send(Done::NotReached(peer));
                });
            }
            while tasks.try_join_next().is_some() {}
        }
        self.network.close().await;
    }

    fn grant(&mut self, wish: Wish) {
        // whoever asked may not wait any more
        match wish {
            Wish::Open { database, answer } => {
                let _ = answer.send(self.open(database));
            }
            Wish::Shut { database, answer } => {
                let Some(mut replica) = self.replicas.remove(database) else {
                    let _ = answer.send(false);
                    return;
                };
                let topic = replica.parts.topic();
                self.topics.remove(&topic);
                self.network.unsubscribe(&topic);
                self.network.spawn(async move {
                    replica.tasks.shutdown().await;
                    let _ = answer.send(true);
                });
            }
            Wish::Keep { peer, address } => {
                self.redials.keep(peer, address);
                if !self.network.is_connected(&peer) {
                    self.redials.lost(&peer, Instant::now());
                }
            }
            Wish::Disconnect { peer } => {
                self.redials.forget(&peer);
                self.network.disconnect(peer);
            }
            Wish::Note { database, by } => {
                let now = Instant::now();
                if let Some(replica) = self.replicas.get_mut(database) {
                    replica.acknowledgements.note(by, now);
                    let parts = replica.parts.clone();
                    replica.replicator.hurry(|peer| parts.is_ours(peer), now);
                }
            }
            Wish::Sync { database, answer } => {
                let _ = answer.send(self.sync(database));
            }
        }
    }

    fn open(&mut self, database: DatabaseId) -> Result<(), ReplicationError> {
        if self.replicas.has(database) {
            return Ok(());
        }
        let snapshot = self.node.snapshot().map_err(ReadError::from)?;
        let info = snapshot.info(database)?;
        // without the rows that say who may write, nothing can be judged
        if let Some(controller) = info.controller {
            self.open(controller)?;
        }
        let heads = snapshot.heads(database)?;
        let parts = Arc::new(Parts {
            node: self.node.clone(),
            network: self.network.clone(),
            info,
            limits: self.limits.clone(),
            begun: self.begun.clone(),
            answered: self.answered.clone(),
            supplied: self.supplied.clone(),
            large: self.large.clone(),
            answering: Mutex::default(),
            with: Mutex::default(),
            told: self.told.clone(),
            done: self.done.0.clone(),
            fetch: Notify::new(),
        });
        // first the protocol, then the topic: JavaScript dials when it sees that somebody listens, and only then
        let topic = parts.topic();
        let streams = self.network.accept_on_topic(&parts.protocol(), &topic);
        // a task of the same database that was shut a moment ago holds them yet
        let streams = streams.map_err(|_| ReplicationError::Closing(database))?;
        self.network.subscribe(&topic);
        let (messages, received) = mpsc::channel(MESSAGES);
        let (publish, to_publish) = mpsc::channel(MESSAGES);
        let (peers, seen) = watch::channel(Vec::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(parts.clone().answer_all(streams));
        tasks.spawn(parts.clone().listen(received));
        tasks.spawn(parts.clone().publish_all(to_publish));
        tasks.spawn(Fetcher::new(parts.clone(), seen).run());
        let mut replica = Replica {
            replicator: Replicator::new(heads),
            acknowledgements: Acknowledgements::default(),
            messages,
            parts,
            publish,
            peers,
            tasks,
        };
        for (peer, topics) in &self.subscribed {
            if topics.contains(&topic) && self.network.is_identified(peer) {
                replica.subscribed(*peer);
            }
        }
        self.topics.insert(topic, database);
        self.replicas.add(database, replica);
        Ok(())
    }

    fn sync(&self, database: DatabaseId) -> Result<SyncState, ReplicationError> {
        let replica = self.replicas.get(database).ok_or(ReplicationError::NotOpen(database))?;
        let snapshot = self.node.snapshot().map_err(ReadError::from)?;
        let log = snapshot.core.log(&snapshot.state, database).map_err(ReadError::from)?;
        let peers = replica
            .replicator
            .peers()
            .map(|(peer, heads)| PeerSync { peer: *peer, heads: heads.map(|heads| heads.iter().copied().collect()) });
        Ok(SyncState {
            heads: snapshot.heads(database)?,
            entries: log.entries,
            held: log.held,
            pending_since: if log.held > 0 { pending_since(&snapshot, database)? } else { None },
            missing: snapshot.wanted(Some(database), MOST)?.iter().map(Wanted::hash).collect(),
            peers: peers.collect(),
        })
    }

    fn happened(&mut self, event: NetworkEvent) {
        match event {
            NetworkEvent::Connected(peer) => {
                self.redials.connected(&peer);
                self.tell(ReplicationEvent::Connected(peer));
            }
            NetworkEvent::Disconnected(peer) => {
                self.redials.lost(&peer, Instant::now());
                for topic in self.subscribed.remove(&peer).into_iter().flatten() {
                    if let Some(replica) = self.replica_at(&topic) {
                        replica.left(&peer);
                    }
                }
                self.tell(ReplicationEvent::Disconnected(peer));
            }
            #[cfg(feature = "relay")]
            NetworkEvent::Direct(peer) => self.tell(ReplicationEvent::Direct(peer)),
            #[cfg(feature = "relay")]
            NetworkEvent::Reachable(address) => self.tell(ReplicationEvent::Reachable(address)),
            #[cfg(feature = "relay")]
            NetworkEvent::Unreachable { relay, reason } => {
                self.tell(ReplicationEvent::Unreachable { relay, reason });
            }
            // in which protocol to speak with a peer is not known before
            NetworkEvent::Identified(peer) => {
                for topic in self.subscribed.get(&peer).into_iter().flatten() {
                    let database = self.topics.get(topic);
                    if let Some(replica) = database.and_then(|database| self.replicas.get_mut(*database)) {
                        replica.subscribed(peer);
                    }
                }
            }
            NetworkEvent::Subscribed { peer, topic } => {
                if self.network.is_identified(&peer)
                    && let Some(replica) = self.replica_at(&topic)
                {
                    replica.subscribed(peer);
                }
                self.subscribed.entry(peer).or_default().insert(topic);
            }
            NetworkEvent::Unsubscribed { peer, topic } => {
                if let Some(replica) = self.replica_at(&topic) {
                    replica.left(&peer);
                }
                if let Some(topics) = self.subscribed.get_mut(&peer) {
                    topics.remove(&topic);
                }
            }
            NetworkEvent::Message(message) => {
                let database = self.topics.get(&message.topic);
                let sent = match database.and_then(|database| self.replicas.get(*database)) {
                    Some(replica) => replica.messages.try_send(message).map_err(|error| error.into_inner()),
                    None => Err(message),
                };
                if let Err(message) = sent {
                    self.network.judge(&message, Verdict::Unknown);
                }
            }
            _ => {}
        }
    }

    fn was_done(&mut self, done: Done) {
        let now = Instant::now();
        match done {
            Done::Exchanged(parts, peer, how) => {
                if let Some(replicator) = self.replicator(&parts) {
                    replicator.exchanged(&peer, how, now);
                }
            }
            Done::Answers(parts, peer) => {
                if let Some(replicator) = self.replicator(&parts) {
                    replicator.answers(&peer);
                }
            }
            Done::Told(parts, peer, heads) => {
                if let Some(replicator) = self.replicator(&parts) {
                    replicator.told(&peer, heads, now);
                }
            }
            Done::Heard(parts, entries) => {
                if let Some(replicator) = self.replicator(&parts) {
                    entries.into_iter().for_each(|entry| replicator.heard(entry));
                }
            }
            Done::Lacks(parts, peer) => {
                if let Some(replicator) = self.replicator(&parts) {
                    replicator.lacks(&peer, now);
                }
            }
            Done::Has(parts, peer, at) => {
                let replica = self.replicas.get_mut(parts.info.id);
                if let Some(replica) = replica.filter(|replica| Arc::ptr_eq(&replica.parts, &parts)) {
                    replica.acknowledgements.has(peer, at);
                }
            }
            Done::Fault(peer, fault, count) => {
                if let Some(lasts) = self.conduct.fault(peer, fault, count, now) {
                    self.network.refuse(peer);
                    self.tell(ReplicationEvent::Refused { peer, lasts });
                }
            }
            Done::NotReached(peer) => self.redials.lost(&peer, now),
            Done::Asked(peer, stream, manifest) => {
                let database = self.topics.get(&Address::of(manifest).to_string());
                // otherwise the stream is dropped, and the peer tries again some time
                if let Some(replica) = database.and_then(|database| self.replicas.get_mut(*database)) {
                    replica.let_go();
                    replica.tasks.spawn(replica.parts.clone().answer_sync(peer, stream));
                }
            }
        }
    }

    /// The database of a topic.
    fn replica_at(&mut self, topic: &str) -> Option<&mut Replica> {
        self.replicas.get_mut(*self.topics.get(topic)?)
    }

    /// The replicator that a task belongs to: not one of the same database that was opened since.
    fn replicator(&mut self, parts: &Arc<Parts>) -> Option<&mut Replicator> {
        let replica = self.replicas.get_mut(parts.info.id)?;
        Arc::ptr_eq(&replica.parts, parts).then_some(&mut replica.replicator)
    }

    /// Notes what has happened with which databases. That it is committed is seen a few commits later at the latest.
    fn touch(&mut self) {
        let touched = self.node.core().take_touched();
        let commit = *self.commits.borrow_and_update();
        self.touched.retain(|_, until| *until > commit);
        self.touched.extend(touched.into_iter().map(|database| (database, commit + AHEAD)));
    }

    fn look_at_heads(&mut self, snapshot: &Snapshot) -> Result<(), ReadError> {
        // what was said before something joined is to be known before it has
        while let Ok(done) = self.done.1.try_recv() {
            self.was_done(done);
        }
        let now = Instant::now();
        for database in self.touched.keys() {
            let Some(replica) = self.replicas.get_mut(*database) else { continue };
            let log = snapshot.core.log(&snapshot.state, *database)?;
            if log.held > 0 {
                replica.parts.fetch.notify_one();
            }
            let Some(actions) = look(&mut replica.replicator, snapshot, &replica.parts.info, &log, now)? else {
                continue;
            };
            // without anyone who listens
            let _ = self.told.send(ReplicationEvent::Changed { database: *database, entries: log.entries });
            replica.act(actions);
        }
        Ok(())
    }

    fn tell(&self, event: ReplicationEvent) {
        // without anyone who listens
        let _ = self.told.send(event);
    }
}

impl Replica {
    /// Of the tasks that have ended.
    fn let_go(&mut self) {
        while self.tasks.try_join_next().is_some() {}
    }

    fn subscribed(&mut self, peer: PeerId) {
        if self.replicator.subscribed(peer, Instant::now()) {
            self.peers_changed();
            let _ = self.parts.told.send(ReplicationEvent::Joined { database: self.parts.info.id, peer });
        }
    }

    fn left(&mut self, peer: &PeerId) {
        if self.replicator.left(peer) {
            self.peers_changed();
            let _ = self.parts.told.send(ReplicationEvent::Left { database: self.parts.info.id, peer: *peer });
        }
    }

    fn peers_changed(&self) {
        self.peers.send_replace(self.replicator.peers().map(|(peer, _)| *peer).collect());
    }

    fn act(&mut self, actions: Vec<Action>) {
        self.let_go();
        for action in actions {
            match action {
                Action::Exchange(peer) => drop(self.tasks.spawn(self.parts.clone().exchange_with(peer))),
                // what finds no place gets there by an exchange
                Action::Publish(entry) => drop(self.publish.try_send(entry)),
            }
        }
    }
}

/// Listens to the exchanges that nodes of this kind begin.
async fn listen(mut streams: IncomingStreams, done: mpsc::UnboundedSender<Done>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            stream = streams.next() => {
                let Some((peer, mut stream)) = stream else { return };
                let done = done.clone();
                tasks.spawn(async move {
                    if let Some(manifest) = named(&mut stream).await {
                        // without a driver there is nothing to answer
                        let _ = done.send(Done::Asked(peer, stream, manifest));
                    }
                });
            }
            Some(_) = tasks.join_next() => {}
        }
    }
}
