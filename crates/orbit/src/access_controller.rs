//! [`AccessController`]: a rule of the application's own that says who may write.

use crate::{Address, PublicKey};
use debros_core::Value;

/// A rule of the application's own that says who may write a database, beside OrbitDB's `ipfs` and `orbitdb`. Give it to
/// [`NodeOptions::controllers`](crate::NodeOptions), and open databases with
/// [`AccessSpec::Custom`](crate::AccessSpec::Custom).
///
/// In JavaScript it is an access controller of the same type, which the peer registers with `useAccessController`.
///
/// ```
/// use debros_orbit::{AccessController, Request};
///
/// /// Everyone may write, but nobody more than a thousand times.
/// struct AThousand;
///
/// impl AccessController for AThousand {
///     fn kind(&self) -> &str {
///         "thousand"
///     }
///     fn allows(&self, request: &Request<'_>) -> bool {
///         request.time <= 1_000
///     }
/// }
/// ```
pub trait AccessController: Send + Sync + 'static {
    /// Its type: what the address in the manifest begins with, `/type/zdpu…`.
    fn kind(&self) -> &str;

    /// May this be written? Asked of every entry before it is written here, or joins. Everything but an accepted entry
    /// can be judged again, see [`Node::judge_again`](crate::Node::judge_again). For replicas to agree, the answer has to
    /// follow from the request, or become `true` on all of them in the end.
    fn allows(&self, request: &Request<'_>) -> bool;
}

/// What is to be written, by whom.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'r> {
    /// The database.
    pub database: Address,
    /// The parameters with which the database was opened: the block that its manifest names.
    pub parameters: &'r [u8],
    /// The user's id.
    pub user: &'r str,
    /// The key of the user's device.
    pub device: PublicKey,
    /// The payload of the entry: bytes, where it is encrypted and this node has no key for it.
    pub payload: &'r Value,
    /// The time of its clock.
    pub time: u64,
}
