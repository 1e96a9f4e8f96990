use crate::Hash;
use std::pin::Pin;

/// The blocks that were found, by their names.
pub type Fetching<'f> = Pin<Box<dyn Future<Output = Vec<(Hash, Vec<u8>)>> + Send + 'f>>;

/// Somebody who may have blocks that are not here: a peer, a daemon, another folder.
///
/// ```
/// use debros_orbit::{BlockSource, Fetching, Hash, ReadDocuments, Snapshot};
///
/// /// What another node held at one moment.
/// struct Other(Snapshot);
///
/// impl BlockSource for Other {
///     fn name(&self) -> String {
///         "the other node".to_owned()
///     }
///     fn fetch<'f>(&'f self, wanted: &'f [Hash]) -> Fetching<'f> {
///         let block = |hash: &Hash| Some((*hash, self.0.block(hash).ok()??.to_vec()));
///         Box::pin(async move { wanted.iter().filter_map(block).collect() })
///     }
/// }
/// ```
pub trait BlockSource: Send + Sync + 'static {
    /// What it is called in what is told of entries that came from it.
    fn name(&self) -> String;

    /// Fetches what it can of these, in any order. What is not there, or fails, is left out: it is asked for again later.
    /// What does not have the hash that it should have is dropped. The future is given up after half a minute.
    fn fetch<'f>(&'f self, wanted: &'f [Hash]) -> Fetching<'f>;
}
