//! The protocol between nodes of our kind: the name of a database, then [`Message`](super::message::Message)s.

use crate::Hash;
use debros_ipfs::PeerStream;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use std::time::Duration;
use tokio::time::timeout;

/// One protocol for all databases, as the names of protocols are announced. Whoever opens a stream first says which database is
/// meant: the digest of its manifest. A later version gets another name, and a node offers all that it speaks.
pub(super) const OURS: &str = "/debros/sync/1";

/// So long a peer may take to say or to hear which it is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says which database is meant.
pub(super) async fn name(stream: &mut PeerStream, manifest: &Hash) -> Option<()> {
    timeout(PATIENCE, stream.write_all(manifest.digest())).await.ok()?.ok()
}

/// Reads which database is meant.
pub(super) async fn named(stream: &mut PeerStream) -> Option<Hash> {
    let mut digest = [0; 32];
    timeout(PATIENCE, stream.read_exact(&mut digest)).await.ok()?.ok()?;
    Some(Hash::from_digest(digest))
}
