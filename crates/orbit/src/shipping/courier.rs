use super::{
    BlockList, CatchUpError, CaughtUp, ShippingError, ShippingStatus, catch_up, pin_name, shipper::Shipper,
    shipper::Wish,
};
use crate::{DatabaseSpec, Hash, Node, ReadDocuments as _, Snapshot};
use debros_ipfs::{CarWriter, Kubo, KuboDaemon, KuboOptions, Place};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
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
    node: Node,
    options: KuboOptions,
    wishes: mpsc::UnboundedSender<Wish>,
    status: Arc<watch::Sender<ShippingStatus>>,
    shipped: Arc<watch::Sender<Option<Place>>>,
    /// Of the thread: whoever asks may have no runtime.
    runtime: runtime::Handle,
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
        let shipper = Shipper {
            node: self.clone(),
            kubo: kubo.clone(),
            tag: hex::encode(self.store().tag()),
            wishes: heard,
            commits: self.store().commits(),
            status: status.clone(),
            shipped: shipped.clone(),
            hurry: false,
        };
        let (begun, begin) = oneshot::channel();
        let known = status.clone();
        let work = async move {
            let checked = if optional { Ok(()) } else { kubo.check().await.map(|daemon| reached(&known, daemon)) };
            let good = checked.is_ok();
            // whoever does not wait any more has dropped the courier too
            if begun.send(checked).is_ok() && good {
                shipper.run().await;
            }
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(ShippingError::Thread)?;
        let handle = runtime.handle().clone();
        let thread = thread::Builder::new().name("kubo shipper".to_owned()).spawn(move || runtime.block_on(work));
        let thread = Mutex::new(Some(thread.map_err(ShippingError::Thread)?));
        let courier = Courier { node: self.clone(), options, wishes, status, shipped, runtime: handle, thread };
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

    /// Tells of every change of the status.
    pub fn watch(&self) -> watch::Receiver<ShippingStatus> {
        self.status.subscribe()
    }

    /// Waits until the daemon holds and pins everything that this snapshot has.
    ///
    /// # Errors
    /// If it does not within this time.
    pub async fn pinned(&self, snapshot: &Snapshot, within: Duration) -> Result<(), NotPinned> {
        let place = snapshot.state.end();
        let mut shipped = self.shipped.subscribe();
        // a shipper that has ended confirms nothing, and that is told
        let _ = self.wishes.send(Wish::Hurry);
        let wait = async move {
            let shipped = shipped.wait_for(|until| until.is_some_and(|until| until >= place));
            matches!(time::timeout(within, shipped).await, Ok(Ok(_)))
        };
        if self.runtime.spawn(wait).await.unwrap_or(false) {
            return Ok(());
        }
        let ShippingStatus { url, reachable, last_error, .. } = self.status();
        let reason = last_error.filter(|_| !reachable).map(|(_, reason)| reason);
        Err(NotPinned { url: url.unwrap_or_default(), within, reason })
    }

    /// Takes over the database that this `root` of block lists is of, as another data folder shipped it: every block is
    /// checked against its hash, every entry is judged as one of a peer, and what is good joins the log here. What is known
    /// already is left as it is, so it may be repeated.
    ///
    /// # Errors
    /// If the blocks cannot be had, or the root is of another database.
    pub async fn catch_up(&self, database: DatabaseSpec, root: Hash) -> Result<CaughtUp, CatchUpError> {
        let (node, options) = (self.node.clone(), self.options.clone());
        let tag = self.tag();
        let work = async move { catch_up::catch_up(&node, &Kubo::new(options)?, &tag, database, root).await };
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
        let shipments: Vec<_> = shipments.into_iter().filter(|shipment| shipment.database == database).collect();
        let Some(depth) = shipments.iter().map(|shipment| shipment.depth).max() else { return Ok(None) };
        let (list, tag) = (BlockList::over(&shipments, &info, depth, &self.tag()), self.tag());
        let (options, name) = (self.options.clone(), pin_name::of_root(&info, &tag));
        let work = async move {
            let kubo = Kubo::new(options)?;
            let (root, bytes) = list.encode();
            let mut car = CarWriter::new(&[root.cid()]);
            car.block(&root.cid(), &bytes);
            kubo.dag_import(vec![car.finish()], bytes.len()).await?;
            let before = kubo.pins("direct", Some(&name)).await?;
            kubo.pin_add_direct(&root.cid(), &name).await?;
            for pin in before.into_iter().filter(|pin| pin.name == name && pin.cid != root.cid()) {
                kubo.pin_rm_direct(&pin.cid).await?;
            }
            Ok(Some(root))
        };
        self.runtime.spawn(work).await.map_err(|_| ShippingError::Ended)?
    }

    fn tag(&self) -> String {
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
