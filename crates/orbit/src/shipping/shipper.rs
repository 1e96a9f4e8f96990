use super::{
    Again, BlockList, Confirmed, LastShipment, Parcel, Round, Shipment, Shipments, Shipped, ShippingError,
    ShippingStatus, courier::reached, pin_name,
};
use crate::{
    DatabaseId, DatabaseInfo, Hash, Node, ReadDocuments as _,
    journal_op::JournalOp,
    state::{all_entries, is_dropped},
};
use debros_ipfs::{Bytes, Durability, Kubo, KuboError, KuboPin, Place};
use std::{
    collections::{BTreeSet, HashSet},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    sync::{mpsc, watch},
    time,
};

/// Without anyone waiting, a shipment waits so long for more.
const LINGER: Duration = Duration::from_millis(250);
/// How often a daemon is asked whether it still holds what it confirmed.
const CHECK: Duration = Duration::from_secs(5);
/// The first pause after an error, doubled until the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The longest, where somebody waits.
const HURRIED_PAUSE: Duration = Duration::from_secs(1);
/// How often all pins are compared with what the daemon should have.
const RECONCILE: Duration = Duration::from_secs(600);
/// Merging so many blocks takes long, and is given up when somebody waits for something else.
const LARGE: u64 = 50_000;
/// So many shipments of a level become one of the next: pins grow with the logarithm of the entries.
const MERGE: usize = 8;
/// While there is something to send, merging waits until there are so many.
const MERGE_AT_LAST: usize = 8 * MERGE;
/// Blocks of lists that become one flat list when they are merged.
const FLAT: u64 = BlockList::MAX_LINKS as u64;

/// What others ask of the shipper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Send at once: somebody waits.
    Hurry,
    /// End, at once.
    Stop,
}

/// Sends what is committed to a daemon, one round after the other, and keeps its pins in order.
pub(crate) struct Shipper {
    pub(crate) node: Node,
    pub(crate) kubo: Kubo,
    pub(crate) tag: String,
    pub(crate) wishes: mpsc::UnboundedReceiver<Wish>,
    pub(crate) commits: watch::Receiver<u64>,
    pub(crate) status: Arc<watch::Sender<ShippingStatus>>,
    /// Everything before this place is with the daemon.
    pub(crate) shipped: Arc<watch::Sender<Option<Place>>>,
    /// What the daemon has, for those who tell others.
    pub(crate) confirmed: Arc<Confirmed>,
    pub(crate) hurry: bool,
    /// How many databases are being taken over at the moment.
    pub(crate) catching_up: Arc<AtomicUsize>,
}

/// Why a session with a daemon ended.
enum End {
    Stopped,
    Failed(ShippingError),
}

impl<E: Into<ShippingError>> From<E> for End {
    fn from(error: E) -> End {
        End::Failed(error.into())
    }
}

/// What is known of the daemon that is being talked to.
struct Session {
    daemon: String,
    /// Everything before this place is with it. May be behind what the journal says, where nothing lay between that was
    /// to be sent.
    until: Option<Place>,
    /// Entries before that.
    entries: u64,
    /// The number of the next shipment.
    next: u64,
    /// What it lost, and is sent once more.
    again: Option<Again>,
    /// When it was last asked whether it still holds what it confirmed last.
    checked: Instant,
    /// And everything.
    reconciled: Instant,
}

impl Shipper {
    /// Works until it is told to stop, or the node is closed.
    pub(crate) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begin = Instant::now();
            let Err(End::Failed(error)) = self.serve().await else { return };
            if self.tell(&error) {
                return;
            }
            pause = if begin.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (2 * pause).min(LONGEST_PAUSE) };
            match self.pause(pause).await {
                Ok(()) => {}
                Err(End::Failed(error)) if !self.tell(&error) => {}
                Err(_) => return,
            }
        }
    }

    /// Tells what went wrong. Whether it is the end.
    fn tell(&self, error: &ShippingError) -> bool {
        if error.is_closed() {
            return true;
        }
        if matches!(error, ShippingError::OtherDaemon { .. }) {
            // what the one before had confirmed says nothing of this one
            self.shipped.send_replace(None);
        }
        let ended = error.is_poisoned();
        self.status.send_modify(|status| {
            status.reachable &= !error.is_unreachable() && !ended;
            status.last_error = Some((SystemTime::now(), error.to_string()));
        });
        ended
    }

    /// Waits before the next try, unless it is told to stop; what is to be sent is counted meanwhile.
    async fn pause(&mut self, pause: Duration) -> Result<(), End> {
        let begin = time::Instant::now();
        let until = begin + pause;
        while time::Instant::now() < until {
            if self.hurry && begin.elapsed() >= HURRIED_PAUSE {
                return Ok(());
            }
            self.count(None)?;
            let step = (time::Instant::now() + LINGER).min(until);
            tokio::select! {
                wish = self.wishes.recv() => self.heed(wish)?,
                () = time::sleep_until(step) => {}
            }
        }
        Ok(())
    }

    fn heed(&mut self, wish: Option<Wish>) -> Result<(), End> {
        match wish {
            Some(Wish::Hurry) => self.hurry = true,
            Some(Wish::Stop) | None => return Err(End::Stopped),
        }
        Ok(())
    }

    /// Whatever takes long is given up when it is told to stop.
    async fn unless_stopped<T, E: Into<ShippingError>>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, End> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done?),
                wish = self.wishes.recv() => self.heed(wish)?,
            }
        }
    }

    /// Gives up as well when somebody waits for something else; `None` then.
    async fn unless_hurried<T, E: Into<ShippingError>>(
        &mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<T>, End> {
        tokio::select! {
            done = work => Ok(Some(done?)),
            wish = self.wishes.recv() => self.heed(wish).map(|()| None),
        }
    }

    /// Serves one daemon, until something goes wrong.
    async fn serve(&mut self) -> Result<(), End> {
        let kubo = self.kubo.clone();
        let daemon = self.unless_stopped(kubo.check()).await?;
        let mut session = self.begin(daemon.peer.clone())?;
        reached(&self.status, daemon);
        self.reconcile(&mut session).await?;
        self.shipped.send_replace(session.until);
        loop {
            self.commits.mark_unchanged();
            self.hurry = false;
            // what is new first: what was lost is still in the local store
            let more = self.send(&mut session).await?;
            let more = self.send_again(&mut session).await? || more;
            self.merge(&mut session, if more { MERGE_AT_LAST } else { MERGE }).await?;
            self.count(Some(&session))?;
            if !more {
                self.wait().await?;
            }
            if session.reconciled.elapsed() >= RECONCILE {
                self.reconcile(&mut session).await?;
            } else if session.checked.elapsed() >= CHECK {
                self.check(&mut session).await?;
            }
        }
    }

    /// Until there may be something to do.
    async fn wait(&mut self) -> Result<(), End> {
        if self.hurry {
            return Ok(());
        }
        tokio::select! {
            changed = self.commits.changed() => changed.map_err(|_| End::Stopped)?,
            wish = self.wishes.recv() => return self.heed(wish),
            () = time::sleep(CHECK) => return Ok(()),
        }
        // more may come, unless somebody waits
        let linger = time::sleep(LINGER);
        tokio::pin!(linger);
        while !self.hurry {
            tokio::select! {
                wish = self.wishes.recv() => self.heed(wish)?,
                () = &mut linger => break,
            }
        }
        Ok(())
    }

    fn begin(&self, daemon: String) -> Result<Session, End> {
        let snapshot = self.node.snapshot()?;
        let Shipped { until, entries, next, again } = Shipped::of(&snapshot.state, &daemon)?;
        self.confirmed.begin(Shipments::new(Shipped::shipments(&snapshot.state, &daemon)?));
        let now = Instant::now();
        Ok(Session { daemon, until, entries, next, again, checked: now, reconciled: now })
    }

    /// Tells how much is to be sent.
    fn count(&self, session: Option<&Session>) -> Result<(), End> {
        let snapshot = self.node.snapshot()?;
        let all = all_entries(&snapshot.state)?;
        let (until, sent) = match session {
            Some(session) => (session.until, session.entries),
            None => Shipped::furthest(&snapshot.state)?,
        };
        let entries = all.saturating_sub(sent);
        let bytes = if entries > 0 { snapshot.state.bytes_behind(until)? } else { 0 };
        self.status.send_if_modified(|status| {
            let before = status.clone();
            (status.outbox_entries, status.outbox_bytes) = (entries, bytes);
            if let Some(session) = session {
                (status.mending, status.pins) = (session.again.is_some(), self.confirmed.count());
            }
            *status != before
        });
        Ok(())
    }

    /// Sends the next round. Whether there is more.
    async fn send(&mut self, session: &mut Session) -> Result<bool, End> {
        let snapshot = self.node.snapshot()?;
        let round = Round::read(&snapshot, session.until, None, None, &self.tag)?;
        let (until, last, entries) = (round.until, round.last, round.entries);
        if round.drops {
            self.reconcile(session).await?;
        }
        if let Some(place) = until.filter(|_| entries > 0) {
            // nobody else gets what a power cut could still take from here: an empty write is answered after those before it
            let durable = self.node.store().commit(Durability::Local, |_| Ok::<_, debros_ipfs::ApplyError>(()));
            durable.await.map_err(ShippingError::journal)?;
            let added = self.confirm(session, round, entries).await?;
            let until = Some((place, session.entries + entries));
            let (daemon, added_too) = (session.daemon.clone(), added.clone());
            self.journal(JournalOp::Shipped { daemon, until, added, replaced: Vec::new() }).await?;
            session.entries += entries;
            self.confirmed.add(added_too);
        }
        session.until = until;
        self.shipped.send_replace(until);
        if last && session.again.is_none() {
            self.confirmed.reached(snapshot, until);
        }
        Ok(!last)
    }

    /// Sends the next round of what was lost. Whether there is more.
    async fn send_again(&mut self, session: &mut Session) -> Result<bool, End> {
        let Some(Again { from, until, databases }) = session.again.clone() else { return Ok(false) };
        let snapshot = self.node.snapshot()?;
        let round = Round::read(&snapshot, from, Some(until), Some(&databases), &self.tag)?;
        let reached = round.until.filter(|place| *place < until && !round.last);
        let entries = round.parcels.iter().map(|parcel| parcel.entries).sum();
        let added = self.confirm(session, round, entries).await?;
        let (daemon, added_too) = (session.daemon.clone(), added.clone());
        self.journal(JournalOp::ShippedAgain { daemon, until: reached, added }).await?;
        self.confirmed.add(added_too);
        match (&mut session.again, reached) {
            (Some(again), Some(_)) => again.from = reached,
            (again, _) => *again = None,
        }
        if session.again.is_none() {
            self.reconcile(session).await?;
        }
        Ok(session.again.is_some())
    }

    /// Sends a round, and has it pinned.
    async fn confirm(&mut self, session: &mut Session, mut round: Round, entries: u64) -> Result<Vec<Shipment>, End> {
        if round.parcels.is_empty() {
            return Ok(Vec::new());
        }
        let (kubo, large, first) = (self.kubo.clone(), round.largest_block, round.first);
        let (car, blocks) = round.take_car();
        self.import(&kubo, car, blocks, large).await?;
        let mut added = Vec::with_capacity(round.parcels.len());
        for Parcel { info, root, depth, blocks, .. } in round.parcels {
            let number = session.next;
            let name = pin_name::of_shipment(&info, &self.tag, number);
            self.unless_stopped(kubo.pin_add(&root.cid(), &name)).await?;
            added.push(Shipment { database: info.id, number, level: 0, first, root, depth, blocks });
            session.next += 1;
        }
        let last_shipment = Some(LastShipment { at: SystemTime::now(), entries, blocks });
        self.status.send_modify(|status| (status.reachable, status.last_shipment) = (true, last_shipment));
        Ok(added)
    }

    /// Sends a file of so many blocks.
    async fn import(&mut self, kubo: &Kubo, car: Vec<Bytes>, blocks: u64, large: usize) -> Result<(), End> {
        let answer = self.unless_stopped(kubo.dag_import(car, large)).await?;
        if answer.blocks != blocks {
            return Err(ShippingError::Incomplete { sent: blocks, stored: answer.blocks }.into());
        }
        Ok(())
    }

    async fn journal(&self, op: JournalOp) -> Result<(), End> {
        let op = op.to_bytes();
        let job = move |group: &mut debros_ipfs::Group<'_>| group.journal(op);
        self.node.store().commit(Durability::Local, job).await.map_err(ShippingError::journal)?;
        Ok(())
    }

    /// Makes fewer, larger shipments of those of which there are at least `at` of a level.
    async fn merge(&mut self, session: &mut Session, at: usize) -> Result<(), End> {
        let mut merged_so_far = 0;
        while let Some(children) = self.confirmed.to_merge(at, MERGE) {
            let kubo = self.kubo.clone();
            let (database, number) = (children[0].database, session.next);
            let info = self.node.snapshot()?.info(database)?;
            let Some(list) = self.merged(&info, &children).await? else {
                self.lost(session, vec![database]).await?;
                return Ok(());
            };
            let (root, car) = list.to_car();
            self.import(&kubo, vec![car], 1, BlockList::MAX_BYTES).await?;
            let name = pin_name::of_shipment(&info, &self.tag, number);
            let pinned = match list.blocks > LARGE {
                true => self.unless_hurried(kubo.pin_add(&root.cid(), &name)).await,
                false => self.unless_stopped(kubo.pin_add(&root.cid(), &name)).await.map(Some),
            };
            match pinned {
                Ok(Some(())) => {}
                // when nobody waits it is tried again
                Ok(None) => return Ok(()),
                // everything below it should be there
                Err(End::Failed(ShippingError::Kubo(KuboError::Refused { .. }))) => {
                    return self.lost(session, vec![database]).await;
                }
                Err(end) => return Err(end),
            }
            let level = children.iter().map(|child| child.level).max().unwrap_or(0).saturating_add(1);
            let first = children.iter().map(|child| child.first).min().unwrap_or(0);
            let merged = Shipment { database, number, level, first, root, depth: list.depth, blocks: list.blocks };
            let replaced: Vec<u64> = children.iter().map(|child| child.number).collect();
            let (daemon, added) = (session.daemon.clone(), vec![merged]);
            self.journal(JournalOp::Shipped { daemon, until: None, added, replaced }).await?;
            session.next += 1;
            self.confirmed.replace(&children, merged);
            // only now: until here the daemon holds both
            for child in &children {
                self.unless_stopped(kubo.pin_rm(&child.root.cid())).await?;
            }
            merged_so_far += 1;
            // as many as may have been added meanwhile, so that pins do not grow without end where somebody always waits
            if self.hurry && merged_so_far >= MERGE {
                break;
            }
        }
        Ok(())
    }

    /// The list that stands for these; `None` if the daemon lacks one of theirs.
    async fn merged(&mut self, info: &DatabaseInfo, children: &[Shipment]) -> Result<Option<BlockList>, End> {
        let blocks: u64 = children.iter().map(|child| child.blocks).sum();
        let depth = children.iter().map(|child| child.depth).max().unwrap_or(0);
        let mut list = BlockList::over(children, info, depth, &self.tag);
        if depth > 0 || blocks > FLAT {
            return Ok(Some(list));
        }
        (list.depth, list.links) = (0, Vec::new());
        let mut known = HashSet::new();
        for child in children {
            let Some(part) = self.list(child.root).await? else { return Ok(None) };
            list.links.extend(part.links.into_iter().filter(|link| known.insert(*link)));
        }
        list.blocks = list.links.len() as u64;
        Ok(Some(list))
    }

    /// A list that the daemon should hold.
    async fn list(&mut self, root: Hash) -> Result<Option<BlockList>, End> {
        let kubo = self.kubo.clone();
        let block = self.unless_stopped(kubo.block_get_local(&root.cid())).await?;
        Ok(block.map(|bytes| BlockList::decode(root, &bytes)).transpose()?)
    }

    /// Asks whether the daemon is the same and still holds what it confirmed last.
    async fn check(&mut self, session: &mut Session) -> Result<(), End> {
        let kubo = self.kubo.clone();
        let daemon = self.unless_stopped(kubo.check()).await?;
        if daemon.peer != session.daemon {
            return Err(ShippingError::OtherDaemon { url: kubo.url().to_owned() }.into());
        }
        session.checked = Instant::now();
        if let Some(last) = self.confirmed.last() {
            let holds = self.unless_stopped(kubo.is_pinned(&last.root.cid())).await?;
            if !holds {
                self.reconcile(session).await?;
            }
        }
        Ok(())
    }

    async fn lost(&mut self, session: &mut Session, databases: Vec<DatabaseId>) -> Result<(), End> {
        let Some(until) = session.until else { return Ok(()) };
        let daemon = session.daemon.clone();
        self.journal(JournalOp::ShipmentsLost { daemon, databases, until }).await?;
        let before = (session.checked, session.reconciled, session.until, session.entries);
        *session = self.begin(session.daemon.clone())?;
        (session.checked, session.reconciled, session.until, session.entries) = before;
        self.status.send_modify(|status| status.mending = true);
        Ok(())
    }

    /// Compares the pins that the daemon has of this folder with those that it should have. What it lost is sent once
    /// more; a pin that nobody needs, as a crash may leave, is removed, and so are those of databases that were dropped.
    async fn reconcile(&mut self, session: &mut Session) -> Result<(), End> {
        let kubo = self.kubo.clone();
        let names = pin_name::of_folder(&self.tag);
        let pins = self.unless_stopped(kubo.pins_named(&names)).await?;
        if self.catching_up.load(Ordering::Acquire) == 0 {
            // of one that was interrupted
            let tag = self.tag.clone();
            for pin in pins.iter().filter(|pin| pin_name::is_catching_up(&pin.name, &tag)) {
                self.unless_stopped(kubo.pin_rm(&pin.cid)).await?;
            }
        }
        let pins = self.unpin_dropped(session, pins).await?;
        let pins = pins.into_iter().filter(|pin| pin_name::is_ours(&pin.name, &self.tag));
        let mut strays: HashSet<Hash> = pins.filter_map(|pin| Hash::from_cid(&pin.cid)).collect();
        let mut lost = BTreeSet::new();
        for shipment in self.confirmed.all() {
            if !strays.remove(&shipment.root) {
                lost.insert(shipment.database);
            }
        }
        session.checked = Instant::now();
        session.reconciled = session.checked;
        if !lost.is_empty() {
            return self.lost(session, lost.into_iter().collect()).await;
        }
        if session.again.is_some() {
            // what it still holds of it may go when all of it has been sent once more
            return Ok(());
        }
        let mut foreign = 0;
        for stray in strays {
            if self.is_here(stray).await? {
                self.unless_stopped(kubo.pin_rm(&stray.cid())).await?;
            } else {
                foreign += 1;
            }
        }
        self.status.send_modify(|status| status.foreign_pins = foreign);
        Ok(())
    }

    /// Removes those of these pins that hold databases that were dropped, and gives the others. The journal says so afterwards: after a
    /// crash in between it is done once more.
    async fn unpin_dropped(&mut self, session: &Session, pins: Vec<KuboPin>) -> Result<Vec<KuboPin>, End> {
        let (kubo, snapshot) = (self.kubo.clone(), self.node.snapshot()?);
        let mut left = Vec::with_capacity(pins.len());
        for pin in pins {
            let database = pin_name::database(&pin.name, &self.tag);
            if database.map(|address| snapshot.is_dropped(&address)).transpose()? == Some(true) {
                self.unless_stopped(kubo.pin_rm(&pin.cid)).await?;
            } else {
                left.push(pin);
            }
        }
        let mut dropped = Vec::new();
        for database in self.confirmed.databases() {
            if is_dropped(&snapshot.state, database)? {
                dropped.push(database);
            }
        }
        if !dropped.is_empty() {
            let (daemon, databases) = (session.daemon.clone(), dropped.clone());
            self.journal(JournalOp::Unpinned { daemon, databases }).await?;
            self.confirmed.forget(&dropped);
        }
        Ok(left)
    }

    /// Whether every block of a list is in the local store, so that nothing is lost with the pin. It is not, where the
    /// folder is an older copy of itself, or the pin is somebody else's and only named like one of ours.
    async fn is_here(&mut self, root: Hash) -> Result<bool, End> {
        let snapshot = self.node.snapshot()?;
        let mut seen = HashSet::from([root]);
        let mut lists = vec![(root, u8::MAX)];
        while let Some((list, above)) = lists.pop() {
            let list = match self.list(list).await {
                Ok(Some(list)) if list.depth < above => list,
                Ok(_) | Err(End::Failed(ShippingError::List(_))) => return Ok(false),
                Err(end) => return Err(end),
            };
            for link in list.links {
                let Some(hash) = Hash::from_either_cid(&link) else { return Ok(false) };
                if list.depth == 0 {
                    if snapshot.block(&hash)?.is_none() {
                        return Ok(false);
                    }
                } else if seen.insert(hash) {
                    lists.push((hash, list.depth));
                }
            }
        }
        Ok(true)
    }
}
