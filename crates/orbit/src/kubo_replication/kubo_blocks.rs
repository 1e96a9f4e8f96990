use crate::{BlockSource, Fetching, Hash};
use debros_ipfs::Kubo;
use futures::{StreamExt as _, stream};
use std::{future::ready, time::Duration};
use tokio::runtime::Handle;

/// So many blocks are asked for at a time.
const AT_ONCE: usize = 32;
/// How long one is waited for: all that are asked for together take less than what is given for them.
const WITHIN: Duration = Duration::from_secs(2);

/// The blocks that a Kubo daemon has, or gets from other daemons.
pub(super) struct KuboBlocks {
    pub(super) kubo: Kubo,
    /// Where its connections are made.
    pub(super) runtime: Handle,
}

impl BlockSource for KuboBlocks {
    fn name(&self) -> String {
        "a Kubo daemon".to_owned()
    }

    fn fetch<'f>(&'f self, wanted: &'f [Hash]) -> Fetching<'f> {
        let (kubo, wanted) = (self.kubo.clone(), wanted.to_vec());
        let fetch = move |hash: Hash| {
            let kubo = kubo.clone();
            async move {
                // what fails is asked for again
                let block = kubo.block_get(&hash.cid(), WITHIN).await.ok().flatten()?;
                Some((hash, block.to_vec()))
            }
        };
        let work = stream::iter(wanted).map(fetch).buffer_unordered(AT_ONCE).filter_map(ready).collect();
        // after the end of the runtime there is nothing
        Box::pin(async move { self.runtime.spawn(work).await.unwrap_or_default() })
    }
}
