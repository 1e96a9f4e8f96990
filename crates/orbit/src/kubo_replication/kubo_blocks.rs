use crate::{BlockSource, Fetching, Hash};
use debros_ipfs::Kubo;
use futures::{StreamExt as _, stream};
use std::{future::ready, time::Duration};
use tokio::{runtime::Handle, task::JoinSet};

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
        Box::pin(async move { on(&self.runtime, work).await.unwrap_or_default() })
    }
}

/// Does it on a runtime, until whoever waits for it does not any more.
async fn on<T: Send + 'static>(runtime: &Handle, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut task = JoinSet::new();
    task.spawn_on(work, runtime);
    task.join_next().await?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use tokio::runtime::Runtime;

    #[test]
    fn what_is_given_up_ends() {
        let runtime = Runtime::new().expect("a runtime");
        assert_eq!(runtime.block_on(on(runtime.handle(), async { 7 })), Some(7));
        let (begun, begins) = channel();
        let endless = async move {
            begun.send(()).expect("it is waited for");
            std::future::pending::<()>().await;
            drop(begun);
        };
        let mut waiting = Box::pin(on(runtime.handle(), endless));
        let polled = runtime.block_on(async { futures::poll!(&mut waiting) });
        assert!(polled.is_pending());
        let deadline = Duration::from_secs(60);
        assert_eq!(begins.recv_timeout(deadline), Ok(()));
        drop(waiting);
        assert_eq!(begins.recv_timeout(deadline), Err(RecvTimeoutError::Disconnected));
    }
}
