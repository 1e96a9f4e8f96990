use super::{
    BlockList, CatchUp, CatchUpError, CaughtUp, Confirmed, Named, ShippingError, ShippingStatus, TakenLists, pin_name,
    shipper::Shipper, shipper::Wish,
};
use crate::{DatabaseSpec, Hash, Node, ReadDocuments as _, Snapshot};
use debros_ipfs::{Kubo, KuboDaemon, KuboOptions, Place};
use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};
use tokio::{
    runtime,
    sync::{mpsc, oneshot, watch},
    time,
};

/// Sends the blocks of a node's databases to a Kubo daemon and keeps them pinned there: [`Node::ship`] makes one. It works
/// on a thread of its own until it is [closed](Courier::close) or dropped; what it has not sent by then is sent the next
/// time.
pub struct Courier {
    pub(crate) node: Node,
    pub(crate) options: KuboOptions,
    pub(crate) wishes: mpsc::UnboundedSender<Wish>,
    pub(crate) status: Arc<watch::Sender<ShippingStatus>>,
    shipped: Arc<watch::Sender<Option<Place>>>,
    pub(crate) confirmed: Arc<Confirmed>,
    /// How many databases are being taken over.
    pub(crate) catching_up: Arc<AtomicUsize>,
    pub(crate) taken: Arc<TakenLists>,
    /// Of the thread: whoever asks may have no runtime.
    pub(crate) runtime: runtime::Handle,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What was to be pinned is not, so far. It is durable in the local store, and is sent as soon as that can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is stored and durable in the local folder, but the Kubo daemon at {url} has not confirmed within {within:?} that it holds it{}; it is sent as soon as that works, and is not to be written again",
    reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
)]
pub struct NotPinned {
    /// The daemon's address.
    pub url: String,
    /// How long was waited.
    pub within: Duration,
    /// What went wrong last, if anything did.
    pub reason: Option<String>,
}

impl Node {
    /// Sends everything that was and will be committed to a Kubo daemon, and has it pinned there.
    ///
    /// # Errors
    /// If the daemon cannot be used, unless `optional` says that it need not be there yet: then the reason stands in
    /// [`Courier::status`], and it is tried again and again.
    pub async fn ship(&self, options: KuboOptions, optional: bool) -> Result<Courier, ShippingError> {
        let kubo = Kubo::new(options.clone())?;
        let url = kubo.url().to_owned();
        let status = Arc::new(watch::Sender::new(ShippingStatus { url: Some(url), ..ShippingStatus::default() }));
        let shipped = Arc::new(watch::Sender::new(None));
        let (wishes, heard) = mpsc::unbounded_channel();
        let (confirmed, catching_up) = (Arc::<Confirmed>::default(), Arc::new(AtomicUsize::new(0)));
        let mut shipper = Shipper {
            node: self.clone(),
            kubo: kubo.clone(),
            tag: hex::encode(self.store().tag()),
            wishes: heard,
            commits: self.store().commits(),
            status: status.clone(),
            shipped: shipped.clone(),
            confirmed: confirmed.clone(),
            hurry: false,
            catching_up: catching_up.clone(),
        };
        let (begun, begin) = oneshot::channel();
        let known = status.clone();
        let work = async move {
            if !optional {
                let checked = tokio::select! {
                    checked = kubo.check() => checked.map(|daemon| reached(&known, daemon)),
                    // nobody waits for the answer any more
                    _ = shipper.wishes.recv() => return,
                };
                let good = checked.is_ok();
                if begun.send(checked).is_err() || !good {
                    return;
                }
            } else if begun.send(Ok(())).is_err() {
                return;
            }
            // in a task of its own, so that the end of it by a panic is seen
            if let Err(error) = tokio::spawn(shipper.run()).await {
                known.send_modify(|status| {
                    status.reachable = false;
                    let what = format!("shipping ended by a mistake in the program ({error}): open the database again");
                    status.last_error = Some((SystemTime::now(), what));
                });
            }
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(ShippingError::Thread)?;
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new().name("kubo shipper".to_owned()).spawn(move || runtime.block_on(work));
        let thread = Mutex::new(Some(thread.map_err(ShippingError::Thread)?));
        let node = self.clone();
        let taken = Arc::default();
        let runtime = handle;
        let courier =
            Courier { node, options, wishes, status, shipped, confirmed, catching_up, taken, runtime, thread };
        match begin.await {
            Ok(Ok(())) => Ok(courier),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(ShippingError::Thread(std::io::Error::other("the thread that was to do it ended"))),
        }
    }
}

impl Courier {
    /// How it stands.
    pub fn status(&self) -> ShippingStatus {
        self.status.borrow().clone()
    }

    /// Waits until the daemon holds and pins everything that this snapshot has.
    ///
    /// # Errors
    /// If it does not within this time.
    pub async fn pinned(&self, snapshot: &Snapshot, within: Duration) -> Result<(), NotPinned> {
        self.confirmed(snapshot.state.end(), false, within).await
    }

    /// The same, and until what the daemon had lost of it was sent once more.
    ///
    /// # Errors
    /// If it does not within this time.
    pub async fn flushed(&self, snapshot: &Snapshot, within: Duration) -> Result<(), NotPinned> {
        self.confirmed(snapshot.state.end(), true, within).await
    }

    async fn confirmed(&self, place: Place, whole: bool, within: Duration) -> Result<(), NotPinned> {
        let (mut shipped, mut status, begin) = (self.shipped.subscribe(), self.status.subscribe(), SystemTime::now());
        // a shipper that has ended confirms nothing, and that is told
        let _ = self.wishes.send(Wish::Hurry);
        let wait = async move {
            let confirmed = async {
                shipped.wait_for(|until| until.is_some_and(|until| until >= place)).await.ok()?;
                if whole {
                    status.wait_for(|status| !status.mending).await.ok()?;
                }
                Some(())
            };
            matches!(time::timeout(within, confirmed).await, Ok(Some(())))
        };
        if self.runtime.spawn(wait).await.unwrap_or(false) {
            return Ok(());
        }
        Err(self.not_pinned(begin, within))
    }

    /// What is not confirmed, with the reason, if one is known: of what went wrong since then, or keeps the daemon away.
    pub fn not_pinned(&self, since: SystemTime, within: Duration) -> NotPinned {
        let ShippingStatus { url, reachable, last_error, .. } = self.status();
        let reason = last_error.filter(|(at, _)| !reachable || *at >= since).map(|(_, reason)| reason);
        NotPinned { url: url.unwrap_or_default(), within, reason }
    }

    /// Takes over the database that this `root` of block lists is of, as another data folder shipped it: every block is
    /// checked against its hash, every entry is judged as one of a peer, and what is good joins the log here. What is known
    /// already is left as it is, so it may be repeated.
    ///
    /// # Errors
    /// If the blocks cannot be had, or the root is of another database.
    pub async fn catch_up(&self, database: DatabaseSpec, root: Hash) -> Result<CaughtUp, CatchUpError> {
        let (node, options) = (self.node.clone(), self.options.clone());
        let (tag, taken) = (self.tag(), self.taken.clone());
        let running = Running::begin(self.catching_up.clone());
        let work = async move {
            // ends with the work, not with whoever waits for it
            let _running = running;
            let kubo = Kubo::new(options)?;
            let (blocks, joined) = (AtomicU64::new(0), AtomicU64::new(0));
            let all = CatchUp { node: &node, kubo: &kubo, tag: &tag, taken: &taken, blocks: &blocks, joined: &joined };
            all.take(database, &[root], Named::ByUs).await
        };
        self.runtime.spawn(work).await.map_err(|_| CatchUpError::Ended)?
    }

    /// One root over everything that the daemon holds of a database: what [`Courier::catch_up`] wants elsewhere. It is pinned, in
    /// place of the one that was given before. `None`, if nothing of the database has been confirmed yet.
    ///
    /// # Errors
    /// If the store cannot be read, or the daemon does not take the root.
    pub async fn root(&self, database: crate::DatabaseId) -> Result<Option<Hash>, ShippingError> {
        let Some(peer) = self.status().peer else { return Ok(None) };
        let snapshot = self.node.snapshot()?;
        let info = snapshot.info(database)?;
        let shipments = super::Shipped::shipments(&snapshot.state, &peer)?;
        // those that came later may follow entries of those before
        let mut shipments: Vec<_> = shipments.into_iter().filter(|shipment| shipment.database == database).collect();
        shipments.sort_by_key(|shipment| (shipment.first, shipment.number));
        let Some(depth) = shipments.iter().map(|shipment| shipment.depth).max() else { return Ok(None) };
        let (list, tag) = (BlockList::over(&shipments, &info, depth, &self.tag()), self.tag());
        let (options, name) = (self.options.clone(), pin_name::of_root(&info, &tag));
        let work = async move {
            let kubo = Kubo::new(options)?;
            let (root, car) = list.to_car();
            kubo.dag_import(vec![car], BlockList::MAX_BYTES).await?;
            // with everything below it: the lists of today may be merged tomorrow
            let before = kubo.pins_named(&name).await?;
            kubo.pin_add(&root.cid(), &name).await?;
            for pin in before.into_iter().filter(|pin| pin.name == name && pin.cid != root.cid()) {
                kubo.pin_rm(&pin.cid).await?;
            }
            Ok(Some(root))
        };
        self.runtime.spawn(work).await.map_err(|_| ShippingError::Ended)?
    }

    pub(crate) fn tag(&self) -> String {
        hex::encode(self.node.store().tag())
    }

    /// A block that is not here, from the daemon or whoever it asks; `None` if that takes longer than `within`.
    ///
    /// # Errors
    /// If the daemon cannot be asked.
    pub async fn fetch(&self, hash: Hash, within: Duration) -> Result<Option<debros_ipfs::Bytes>, CatchUpError> {
        let options = self.options.clone();
        let work = async move { Ok(Kubo::new(options)?.block_get(&hash.cid(), within).await?) };
        self.runtime.spawn(work).await.map_err(|_| CatchUpError::Ended)?
    }

    /// Ends it: waits for the outbox, for so long at most, if the daemon is there.
    pub async fn close(&self, within: Duration) {
        if let Ok(snapshot) = self.node.snapshot()
            && self.status.borrow().reachable
        {
            // what is not confirmed in time is sent the next time
            let _ = self.pinned(&snapshot, within).await;
        }
        self.stop();
    }

    /// Ends it at once.
    fn stop(&self) {
        // it may have ended by itself
        let _ = self.wishes.send(Wish::Stop);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // it has told of its panic
            let _ = thread.join();
        }
    }
}

/// Counts what is running.
pub(crate) struct Running(Arc<AtomicUsize>);

impl Running {
    pub(crate) fn begin(count: Arc<AtomicUsize>) -> Running {
        count.fetch_add(1, Ordering::AcqRel);
        Running(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Notes that a daemon answered.
pub(crate) fn reached(status: &watch::Sender<ShippingStatus>, daemon: KuboDaemon) {
    status.send_modify(|status| {
        (status.reachable, status.version, status.peer) = (true, Some(daemon.version), Some(daemon.peer));
    });
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("status", &self.status()).finish_non_exhaustive()
    }
}
