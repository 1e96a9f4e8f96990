use super::{
    Announcement, Hint, HintStatus, Pubsub,
    acquaintances::Acquaintances,
    announcer::{Announcer, Speaker},
    listener::{Event, listen},
    offers::{Came, Offer, Offers},
    peerings::{Peerings, Staying},
    rate::Rate,
    reach::Reach,
};
use crate::{
    DatabaseId, DatabaseInfo, Hash, Node, ReadDocuments as _, ReadError,
    agenda::wait_until,
    shipping::{self, CatchUp, CatchUpError, CaughtUp, Confirmed, Named, Running, ShippingStatus, TakenLists},
};
use debros_ipfs::{Kubo, KuboDaemon, KuboError, KuboMessage};
use lru::LruCache;
use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

/// So much is published: a message in a second, and some at once.
const PUBLISHED: (Duration, u32) = (Duration::from_secs(1), 8);
/// So often everything is said anew because somebody has begun to listen.
const JOINED: (Duration, u32) = (Duration::from_secs(60), 5);
/// And so much of what others publish is read: of one daemon, and of all together.
const OF_ONE: (Duration, u32) = (Duration::from_millis(500), 32);
const OF_ALL: (Duration, u32) = (Duration::from_millis(50), 256);
/// So many daemons are told apart for it.
const DAEMONS: NonZeroUsize = NonZeroUsize::new(256).expect("some");
/// So many messages wait to be looked at.
const WAITING: usize = 64;
/// What cannot be said yet is tried again after so long.
const LATER: Duration = Duration::from_secs(2);
/// So long after something has happened it is counted.
const COUNT: Duration = Duration::from_millis(250);
/// So often it is looked at who has not been heard for long.
const LET_GO: Duration = Duration::from_secs(60);
/// So long a daemon may take to part from those with whom a connection was to stay.
const LEAVE: Duration = Duration::from_secs(2);

/// What is asked of the driver.
pub(super) enum Wish {
    Open {
        database: DatabaseId,
        answer: oneshot::Sender<Result<(), ReadError>>,
    },
    Shut {
        database: DatabaseId,
        answer: oneshot::Sender<bool>,
    },
    /// Answered when the daemon was told.
    End {
        answer: oneshot::Sender<()>,
    },
}

/// What a task has done.
enum Done {
    Said(Result<(), KuboError>),
    /// With how many blocks came, and how many entries joined.
    Fetched(Hash, Offer, [u64; 2], Result<CaughtUp, CatchUpError>),
    /// The daemon was told of another one, which it may not reach.
    Connected,
}

/// A database that is told of.
struct Open {
    info: Arc<DatabaseInfo>,
    /// What the daemon holds of it, but for the roots.
    hint: Option<Hint>,
}

/// Brings together what is heard on a daemon's pubsub and what the daemon holds with what an [`Announcer`] and [`Offers`] decide.
pub(super) struct Driver {
    node: Node,
    kubo: Kubo,
    tag: String,
    topic: String,
    confirmed: Arc<Confirmed>,
    taken: Arc<TakenLists>,
    catching_up: Arc<AtomicUsize>,
    status: Arc<watch::Sender<ShippingStatus>>,
    shipper: mpsc::UnboundedSender<shipping::Wish>,
    wishes: mpsc::UnboundedReceiver<Wish>,
    /// By their manifests.
    databases: HashMap<Hash, Open>,
    manifests: HashMap<DatabaseId, Hash>,
    /// Those of which it is not known yet what the daemon holds.
    new: Vec<DatabaseId>,
    announcer: Announcer,
    offers: Offers,
    acquaintances: Acquaintances,
    /// With whom the daemon is to stay connected.
    staying: watch::Sender<Staying>,
    /// The daemon, while it listens.
    daemon: Option<KuboDaemon>,
    joined: Rate,
    published: Rate,
    of_one: LruCache<String, Rate>,
    of_all: Rate,
    saying: bool,
    /// When it is to be counted how many databases agree.
    count: Option<Instant>,
    /// When it is to be looked at who has not been heard for long.
    let_go: Instant,
    tasks: JoinSet<Done>,
}

/// What a driver is made of.
pub(super) struct Parts {
    pub(super) node: Node,
    pub(super) kubo: Kubo,
    pub(super) tag: String,
    pub(super) topic: String,
    pub(super) confirmed: Arc<Confirmed>,
    pub(super) taken: Arc<TakenLists>,
    pub(super) catching_up: Arc<AtomicUsize>,
    pub(super) status: Arc<watch::Sender<ShippingStatus>>,
    pub(super) shipper: mpsc::UnboundedSender<shipping::Wish>,
    pub(super) wishes: mpsc::UnboundedReceiver<Wish>,
}

impl Driver {
    pub(super) fn new(parts: Parts) -> Driver {
        let Parts { node, kubo, tag, topic, confirmed, taken, catching_up, status, shipper, wishes } = parts;
        let mut seed = [0; 8];
        // without random bytes two folders may speak at the same moments, which only costs messages
        let _ = getrandom::fill(&mut seed);
        Driver {
            node,
            kubo,
            tag,
            topic,
            confirmed,
            taken,
            catching_up,
            status,
            shipper,
            wishes,
            databases: HashMap::new(),
            manifests: HashMap::new(),
            new: Vec::new(),
            announcer: Announcer::new(Instant::now(), u64::from_be_bytes(seed)),
            offers: Offers::new(),
            acquaintances: Acquaintances::new(),
            staying: watch::Sender::default(),
            daemon: None,
            joined: Rate::new(JOINED.0, JOINED.1),
            published: Rate::new(PUBLISHED.0, PUBLISHED.1),
            of_one: LruCache::new(DAEMONS),
            of_all: Rate::new(OF_ALL.0, OF_ALL.1),
            saying: false,
            count: None,
            let_go: Instant::now(),
            tasks: JoinSet::new(),
        }
    }

    /// Goes on until nobody wants it any more, or the node is closed.
    pub(super) async fn run(mut self) {
        let (events, mut heard) = mpsc::channel(WAITING);
        let mut listener = JoinSet::new();
        listener.spawn(listen(self.kubo.clone(), self.topic.clone(), events));
        let peerings = tokio::spawn(Peerings::new(self.kubo.clone()).run(self.staying.subscribe()));
        let mut changes = self.confirmed.changes();
        let ended = loop {
            let next = self.next(Instant::now());
            tokio::select! {
                wish = self.wishes.recv() => match wish {
                    Some(wish) => {
                        if let Some(ended) = self.grant(wish) {
                            break Some(ended);
                        }
                    }
                    None => break None,
                },
                // both sides end together
                Some(event) = heard.recv() => {
                    if self.happened(event).is_err() {
                        break None;
                    }
                }
                changed = changes.changed() => {
                    if changed.is_err() || self.look().is_err() {
                        break None;
                    }
                }
                Some(done) = self.tasks.join_next() => {
                    // a panic was told of where it happened, and what it did is as if it had failed
                    if let Ok(done) = done && self.was_done(done).is_err() {
                        break None;
                    }
                }
                () = wait_until(next) => {}
            }
            let now = Instant::now();
            if self.acquaintances.let_go(now) {
                self.stay_connected();
            }
            self.say(now);
            while self.daemon.is_some() && self.fetch_next(now) {}
            match self.count {
                None => self.count = Some(now + COUNT),
                Some(count) if count <= now => self.count(now),
                Some(_) => {}
            }
        };
        drop(listener);
        // nobody wants them any more
        drop(self);
        // a daemon that does not answer keeps them until it is started anew
        let _ = timeout(LEAVE, peerings).await;
        if let Some(ended) = ended {
            // whoever asked may not wait any more
            let _ = ended.send(());
        }
    }

    fn next(&self, now: Instant) -> Option<Instant> {
        if self.daemon.is_none() {
            return self.count;
        }
        let say = self.announcer.next().filter(|_| !self.saying).map(|next| next.max(self.published.ready(now)));
        say.into_iter().chain(self.offers.next(now)).chain(self.count).min()
    }

    /// Does it, if it is not the end.
    fn grant(&mut self, wish: Wish) -> Option<oneshot::Sender<()>> {
        // whoever asked may not wait any more
        match wish {
            Wish::End { answer } => return Some(answer),
            Wish::Open { database, answer } => {
                let _ = answer.send(self.open(database));
            }
            Wish::Shut { database, answer } => {
                let _ = answer.send(self.shut(database));
            }
        }
        None
    }

    fn shut(&mut self, database: DatabaseId) -> bool {
        let Some(manifest) = self.manifests.remove(&database) else { return false };
        self.databases.remove(&manifest);
        self.announcer.forget(&manifest);
        self.offers.forget(&manifest);
        true
    }

    fn open(&mut self, database: DatabaseId) -> Result<(), ReadError> {
        let info = self.node.snapshot()?.info(database)?;
        let manifest = info.address.manifest();
        if self.databases.contains_key(&manifest) {
            return Ok(());
        }
        // without the rows that say who may write, nothing can be judged
        if let Some(controller) = info.controller {
            self.open(controller)?;
        }
        self.databases.insert(manifest, Open { info, hint: None });
        self.manifests.insert(database, manifest);
        self.new.push(database);
        // what the daemon has of it may have been told before
        self.confirmed.tell_again();
        // without a shipper there is no daemon
        let _ = self.shipper.send(shipping::Wish::Hurry);
        Ok(())
    }

    /// The daemon has everything that was here at another moment.
    fn look(&mut self) -> Result<(), ReadError> {
        let Some((snapshot, touched)) = self.confirmed.take() else { return Ok(()) };
        let now = Instant::now();
        let new = std::mem::take(&mut self.new);
        for database in touched.into_iter().chain(new) {
            let manifest = snapshot.info(database)?.address.manifest();
            let Some(open) = self.databases.get_mut(&manifest) else { continue };
            let log = snapshot.core.log(&snapshot.state, open.info.id)?;
            let mut heads: Vec<Hash> = log.heads.iter().map(|head| head.hash).collect();
            let (database, entries, state) = (open.info.address, log.entries, Hint::state_of(&heads));
            heads.drain(..heads.len().saturating_sub(Announcement::MAX_HEADS));
            let hint = Hint { database, apart: false, entries, heads, state, roots: Vec::new() };
            self.announcer.holds(manifest, state, now);
            open.hint = Some(hint);
        }
        Ok(())
    }

    fn happened(&mut self, event: Event) -> Result<(), ReadError> {
        match event {
            Event::Listening(daemon) => {
                self.daemon = Some(daemon);
                self.tell(|status| status.pubsub = Pubsub::On);
                self.announcer.again(Instant::now());
                // it may have been started anew, and have forgotten them
                self.stay_connected();
            }
            Event::Joined => {
                // what was said before was not heard there; but nobody makes it be said all the time by coming and going
                let now = Instant::now();
                if self.joined.take(now) {
                    self.announcer.again(now);
                }
            }
            Event::Message(message) => return self.heard(message),
            Event::Skipped(count) => self.tell(|status| status.refused += count),
            Event::Lost(error) => {
                self.daemon = None;
                let off = matches!(error, KuboError::NoPubsub { .. });
                self.tell(|status| {
                    status.pubsub = if off { Pubsub::Off } else { Pubsub::Unreached };
                    status.last_error = Some((SystemTime::now(), error.to_string()));
                });
            }
        }
        Ok(())
    }

    fn heard(&mut self, message: KuboMessage) -> Result<(), ReadError> {
        let (now, KuboMessage { from, data, .. }) = (Instant::now(), message);
        let is_own = self.daemon.as_ref().is_some_and(|daemon| daemon.peer == from);
        let of_one = self.of_one.get_or_insert_mut(from.clone(), || Rate::new(OF_ONE.0, OF_ONE.1));
        // another application may speak through the same daemon
        let announcement = match of_one.take(now) && self.of_all.take(now) {
            true => Announcement::decode(&data),
            false => None,
        };
        let Some(Announcement { by, addresses, hints }) = announcement else {
            self.tell(|status| status.refused += 1);
            return Ok(());
        };
        if is_own && by == self.tag {
            return Ok(());
        }
        self.tell(|status| status.received += 1);
        let speaker = (from, by);
        // whoever has nothing that is replicated here is left alone
        let concerns = hints.iter().any(|hint| self.databases.contains_key(&hint.database.manifest()));
        if concerns
            && !is_own
            && let Some(addresses) = self.acquaintances.heard(&speaker.0, &addresses, now)
        {
            self.connect(speaker.0.clone(), addresses);
        }
        for hint in hints {
            self.hinted(&speaker, hint, now)?;
        }
        Ok(())
    }

    fn hinted(&mut self, speaker: &Speaker, hint: Hint, now: Instant) -> Result<(), ReadError> {
        let manifest = hint.database.manifest();
        let Some(open) = self.databases.get(&manifest) else { return Ok(()) };
        if self.announcer.heard(manifest, speaker, hint.state, hint.apart, now) {
            self.tell(|status| status.last_agreed = Some(SystemTime::now()));
            if !hint.heads.is_empty() {
                self.is_good(&speaker.0);
            }
        } else if self.lacks(&open.info, &hint)? {
            let unnamed = !hint.names_all();
            let Hint { heads, roots, .. } = hint;
            let offer = Offer { speaker: speaker.clone(), heads, unnamed, roots, heard: now };
            self.offers.offered(manifest, offer);
            return Ok(());
        }
        self.offers.withdrawn(&manifest, speaker);
        Ok(())
    }

    /// Whether something is to be had that is not here.
    fn lacks(&self, info: &DatabaseInfo, hint: &Hint) -> Result<bool, ReadError> {
        if hint.roots.is_empty() {
            return Ok(false);
        }
        let snapshot = self.node.snapshot()?;
        // who has fewer entries is told of what they lack, and has more then
        let unnamed = !hint.names_all() && hint.entries >= snapshot.entries(info.id)?;
        Ok(unnamed || snapshot.lacks_any(info, &hint.heads)?)
    }

    /// Publishes what is due, in one message.
    fn say(&mut self, now: Instant) {
        let Some(daemon) = &self.daemon else { return };
        if self.saying || self.announcer.next().is_none_or(|next| next > now) || self.published.ready(now) > now {
            return;
        }
        let addresses = Reach::best(&daemon.addresses, &daemon.peer, Announcement::MAX_ADDRESSES.0);
        let mut size = 256 + addresses.iter().map(|address| address.len() + 3).sum::<usize>();
        let mut hints = Vec::new();
        for (manifest, apart) in self.announcer.due(now, Announcement::MAX_HINTS) {
            let Some(open) = self.databases.get(&manifest) else { continue };
            let roots = self.confirmed.roots(open.info.id);
            let hint = open.hint.as_ref().zip(roots).map(|(hint, roots)| Hint { roots, apart, ..hint.clone() });
            // what the daemon lost is sent to it once more; and many small lists become fewer soon
            let Some(hint) = hint.filter(|hint| hint.roots.len() <= Announcement::MAX_ROOTS) else {
                self.announcer.put_off(manifest, now + LATER);
                continue;
            };
            if size + hint.size() > Announcement::MAX_BYTES {
                self.announcer.put_off(manifest, now);
                continue;
            }
            size += hint.size();
            hints.push(hint);
        }
        if hints.is_empty() || !self.published.take(now) {
            return;
        }
        let announcement = Announcement { by: self.tag.clone(), addresses, hints };
        let (kubo, topic) = (self.kubo.clone(), self.topic.clone());
        self.saying = true;
        self.tasks.spawn(async move { Done::Said(kubo.pubsub_pub(&topic, announcement.encode().into()).await) });
    }

    /// Begins to fetch what somebody has told of. Whether there was something.
    fn fetch_next(&mut self, now: Instant) -> bool {
        let Some((manifest, offer)) = self.offers.start(now) else { return false };
        let Some(open) = self.databases.get(&manifest) else {
            self.offers.finished(manifest, offer, Came::Before, now);
            return true;
        };
        let running = Running::begin(self.catching_up.clone());
        let (node, kubo, tag, taken) = (self.node.clone(), self.kubo.clone(), self.tag.clone(), self.taken.clone());
        let spec = open.info.spec.clone();
        self.tasks.spawn(async move {
            let _running = running;
            let (blocks, joined) = (AtomicU64::new(0), AtomicU64::new(0));
            let all = CatchUp { node: &node, kubo: &kubo, tag: &tag, taken: &taken, blocks: &blocks, joined: &joined };
            let caught_up = all.take(spec, &offer.roots, Named::ByOthers(&offer.heads)).await;
            Done::Fetched(manifest, offer, [blocks.into_inner(), joined.into_inner()], caught_up)
        });
        true
    }

    fn was_done(&mut self, done: Done) -> Result<(), ReadError> {
        match done {
            Done::Said(said) => {
                self.saying = false;
                self.tell(|status| match said {
                    Ok(()) => status.sent += 1,
                    // it is said again
                    Err(error) => status.last_error = Some((SystemTime::now(), error.to_string())),
                });
            }
            Done::Connected => {}
            Done::Fetched(manifest, offer, [blocks, joined], caught_up) => {
                let lacks = match self.databases.get(&manifest) {
                    Some(open) => Some(self.node.snapshot()?.lacks_any(&open.info, &offer.heads)?),
                    None => None,
                };
                // whoever says that there is more than they name, and gives nothing, says it in vain
                let needless = !offer.unnamed && caught_up.as_ref().is_ok_and(|done| done.fetched == 0);
                let came = match lacks {
                    // it is not replicated any more
                    None => Came::Before,
                    Some(false) if joined > 0 => Came::All,
                    Some(true) if joined > 0 => Came::Part,
                    Some(false) if needless => Came::Before,
                    // what is held back may be worth nothing; if it waits for others, the next time finds it here
                    Some(_) => Came::Nothing,
                };
                if came == Came::All {
                    self.is_good(&offer.speaker.0);
                }
                self.offers.finished(manifest, offer, came, Instant::now());
                self.tell(|status| {
                    match came {
                        Came::All | Came::Before => status.fetched += 1,
                        Came::Part | Came::Nothing => status.failed += 1,
                    }
                    status.blocks += blocks;
                    // what is not replicated any more fails as it should
                    if let Err(error) = caught_up
                        && lacks.is_some()
                    {
                        status.last_error = Some((SystemTime::now(), error.to_string()));
                    }
                });
            }
        }
        Ok(())
    }

    /// Has the daemon connected to another one, unless it is: blocks come over connections.
    fn connect(&mut self, peer: String, addresses: Vec<String>) {
        let kubo = self.kubo.clone();
        self.tasks.spawn(async move {
            let connected = kubo.swarm_peers().await.is_ok_and(|peers| peers.contains(&peer));
            if !connected {
                // one that works is enough, and that none does is told where something does not come
                for address in addresses {
                    if kubo.swarm_connect(&address).await.is_ok() {
                        break;
                    }
                }
            }
            Done::Connected
        });
    }

    /// With this daemon a connection is to stay.
    fn is_good(&mut self, peer: &str) {
        if self.acquaintances.is_good(peer) {
            self.stay_connected();
        }
    }

    fn stay_connected(&self) {
        self.staying.send_replace(self.acquaintances.staying());
    }

    fn count(&mut self, now: Instant) {
        self.count = None;
        if now >= self.let_go {
            self.offers.let_go(now);
            self.let_go = now + LET_GO;
        }
        let counts = self.announcer.agreed();
        self.status.send_if_modified(|status| {
            let status = status.hints.get_or_insert_default();
            let before = (status.databases, status.agreed);
            (status.databases, status.agreed) = counts;
            if counts.1 > before.1 {
                // they had said it before it was so here
                status.last_agreed = Some(SystemTime::now());
            }
            before != counts
        });
    }

    fn tell(&self, change: impl FnOnce(&mut HintStatus)) {
        self.status.send_modify(|status| change(status.hints.get_or_insert_default()));
    }
}
