use super::{
    fetch_plan::{Batch, Fetch, FetchPlan, builds_on},
    replica::Parts,
};
use crate::{ReadDocuments as _, ReadError, Wanted};
use debros_ipfs::{Bytes, PeerId};
use futures::{StreamExt as _, stream::FuturesUnordered};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    time::{sleep_until, timeout},
};

/// So many blocks are looked for at a time; the limits of what is held back are below it.
pub(super) const MOST: usize = 4096;
/// If nothing else happens, it is looked so often whether anything is wanted.
const LOOK: Duration = Duration::from_secs(300);

/// Fetches what a database waits for, as a [`FetchPlan`] says, and nobody waits for it.
pub(super) struct Fetcher {
    parts: Arc<Parts>,
    peers: watch::Receiver<Vec<PeerId>>,
    plan: FetchPlan,
}

impl Fetcher {
    pub(super) fn new(parts: Arc<Parts>, peers: watch::Receiver<Vec<PeerId>>) -> Fetcher {
        Fetcher { parts, peers, plan: FetchPlan::default() }
    }

    /// Goes on until the node is closed.
    pub(super) async fn run(mut self) {
        loop {
            if self.round().await.is_err() {
                return;
            }
            let next = self.plan.again().unwrap_or_else(|| Instant::now() + LOOK);
            tokio::select! {
                () = self.parts.fetch.notified() => {}
                () = sleep_until(next.into()) => {}
                changed = self.peers.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.plan.hope(Instant::now());
                }
            }
        }
    }

    /// Fetches everything that may be fetched now.
    async fn round(&mut self) -> Result<(), ReadError> {
        let mut under_way = FuturesUnordered::new();
        let mut look = true;
        loop {
            if look {
                self.look()?;
                look = false;
            }
            while let Some(fetch) = self.plan.next(Instant::now()) {
                let (parts, peers) = (self.parts.clone(), self.peers.borrow().clone());
                under_way.push(async move {
                    let fetched = timeout(fetch.patience, parts.fetch(&fetch.wanted.hash(), &peers)).await;
                    (fetch, fetched.ok().flatten())
                });
            }
            if let Some(batch) = self.plan.batch(Instant::now()) {
                self.store(batch).await;
                look = true;
                continue;
            }
            if self.plan.is_idle() {
                return Ok(());
            }
            let gathered = self.plan.gathered();
            let gathered = async {
                match gathered {
                    Some(gathered) => sleep_until(gathered.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((fetch, block)) = under_way.next() => match block {
                    Some(block) => self.fetched(&fetch, &block)?,
                    None => self.plan.not_found(&fetch, Instant::now()),
                },
                () = self.parts.fetch.notified() => look = true,
                () = gathered => {}
            }
        }
    }

    /// Looks for what may be fetched now.
    fn look(&mut self) -> Result<(), ReadError> {
        let snapshot = self.parts.node.snapshot()?;
        let is_nothing_held = snapshot.core.log(&snapshot.state, self.parts.info.id)?.held == 0;
        let wanted = if is_nothing_held { Vec::new() } else { snapshot.wanted(Some(self.parts.info.id), MOST)? };
        let comes = self.peers.borrow().iter().any(|peer| self.parts.is_ours(peer));
        self.plan.wanted(wanted, comes, Instant::now());
        Ok(())
    }

    /// Keeps what was fetched, and goes on to what it builds on.
    fn fetched(&mut self, fetch: &Fetch, block: &Bytes) -> Result<(), ReadError> {
        let builds_on = match fetch.wanted {
            Wanted::Entry(..) => {
                let encryption = self.parts.node.encryption(&self.parts.info.address);
                builds_on(&self.parts.node.snapshot()?, &self.parts.info, &encryption, block)?
            }
            Wanted::Identity(_) => Vec::new(),
        };
        self.plan.found(fetch, block, builds_on, Instant::now());
        Ok(())
    }

    async fn store(&mut self, mut batch: Batch) {
        let hashes = batch.take_hashes();
        // an error is the store's; what was fetched is wanted still
        if let Ok(receipt) =
            self.parts.node.receive(self.parts.info.id, "bitswap", batch.identities, batch.entries).await
        {
            self.parts.received(None, &receipt);
        }
        self.plan.stored(&hashes);
    }
}
