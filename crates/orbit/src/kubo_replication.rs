//! [`KuboReplication`]: the databases of folders that share nothing but connected Kubo daemons become the same.

mod acquaintances;
mod announcement;
mod announcer;
mod driver;
mod hint_status;
mod kubo_blocks;
mod listener;
mod offers;
mod peerings;
mod rate;
mod reach;

pub use announcement::{Announcement, Hint};
pub use hint_status::{HintStatus, Pubsub};

use crate::{Courier, DatabaseId, Fetcher, ShippingError};
use debros_ipfs::Kubo;
use driver::{Driver, Parts, Wish};
use kubo_blocks::KuboBlocks;
use std::{fmt, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Most characters of a name of an application.
const MAX_NAME: usize = 128;

/// The databases of a folder and those of others become the same, through their Kubo daemons: [`Courier::replicate`] begins it.
///
/// What a daemon holds is told on a topic of its pubsub, in *hints*: a database, its heads, and the roots of the lists of its blocks. Who lacks one of
/// the heads has their own daemon fetch what is not here, checks it and takes it. What entries wait for that came otherwise, as from peers, the daemon is asked for, too. Hints are repeated until everybody who is heard has the same heads,
/// and then seldom; so a message that is lost leaves no gap. Nothing is told before the daemon has confirmed that it holds and pins it.
///
/// The daemon is told to connect to those that are heard, and to stay connected to some that have the same.
///
/// It ends when it is dropped, or with the courier.
pub struct KuboReplication {
    wishes: mpsc::UnboundedSender<Wish>,
    /// Asks the daemon for what entries wait for, of whatever database and from wherever they came.
    _fetcher: Fetcher,
}

impl Courier {
    /// Replicates databases with others who use the same name for it, through the daemon and its pubsub. No database is replicated yet. How
    /// it stands is told by [`Courier::status`]: it is no error that the daemon is not there, or has its pubsub off.
    ///
    /// # Errors
    /// If the daemon's address makes no sense, or no thread can be started.
    pub fn replicate(&self, application: &str) -> Result<KuboReplication, ShippingError> {
        let (wishes, granted) = mpsc::unbounded_channel();
        let name: String = application.chars().take(MAX_NAME).collect();
        let kubo = Kubo::new(self.options.clone())?;
        let blocks = KuboBlocks { kubo: kubo.clone(), runtime: self.runtime.clone() };
        let fetcher = self.node.fetch_from(Arc::new(blocks)).map_err(ShippingError::Thread)?;
        let parts = Parts {
            node: self.node.clone(),
            kubo,
            tag: self.tag(),
            topic: format!("/debros/roots/1/{name}"),
            confirmed: self.confirmed.clone(),
            taken: self.taken.clone(),
            catching_up: self.catching_up.clone(),
            status: self.status.clone(),
            shipper: self.wishes.clone(),
            wishes: granted,
        };
        self.runtime.spawn(async move { Driver::new(parts).run().await });
        Ok(KuboReplication { wishes, _fetcher: fetcher })
    }
}

impl KuboReplication {
    /// Replicates a database from now on, and the one that says who may write it. Nothing, if it is replicated.
    ///
    /// # Errors
    /// If there is no such database, state cannot be read, or it has ended.
    pub async fn open(&self, database: DatabaseId) -> Result<(), ShippingError> {
        Ok(self.ask(|answer| Wish::Open { database, answer }).await??)
    }

    /// Replicates it no more. Whether it was.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn close_database(&self, database: DatabaseId) -> Result<bool, ShippingError> {
        self.ask(|answer| Wish::Shut { database, answer }).await
    }

    /// Ends it, and has the daemon stay connected to nobody for its sake any more; a daemon that does not answer is waited for two seconds. Whoever only drops it
    /// before the courier has the same done without waiting for it.
    pub async fn close(&self) {
        // what has ended need not be ended
        let _ = self.ask(|answer| Wish::End { answer }).await;
    }

    async fn ask<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> Result<T, ShippingError> {
        let (answer, answered) = oneshot::channel();
        self.wishes.send(wish(answer)).map_err(|_| ShippingError::Ended)?;
        answered.await.map_err(|_| ShippingError::Ended)
    }
}

impl fmt::Debug for KuboReplication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KuboReplication").finish_non_exhaustive()
    }
}
