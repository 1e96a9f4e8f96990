use crate::Node;
use debros_ipfs::{BlockSource, Bytes, Cid, ReadState as _};
use tokio::sync::watch;

/// The blocks of a node, for its peers: entries, and the identities, manifests and access lists that they need.
pub(super) struct NodeBlocks(pub(super) Node);

impl BlockSource for NodeBlocks {
    fn block(&self, cid: &Cid) -> Option<Bytes> {
        // what cannot be read is not there for peers; whoever reads it here is told
        self.0.store().snapshot().ok()?.block(cid).ok()?.map(|(_, bytes)| bytes)
    }

    fn arrivals(&self) -> watch::Receiver<u64> {
        self.0.store().commits()
    }
}
