//! What the tests that cross the crates of debros share.

#[cfg(feature = "kubo")]
mod fault;
#[cfg(feature = "kubo")]
mod fault_proxy;
#[cfg(any(feature = "kubo", feature = "network"))]
mod free_port;
pub mod fuzzing;
#[cfg(feature = "kubo")]
mod held;
#[cfg(feature = "javascript")]
mod javascript_peer;
#[cfg(feature = "kubo")]
mod kubo_daemon;
#[cfg(feature = "kubo")]
mod kubo_daemon_options;
#[cfg(feature = "kubo")]
mod linked_blocks;
#[cfg(feature = "kubo")]
mod scripted_server;
#[cfg(feature = "kubo")]
mod tls_proxy;

#[cfg(feature = "kubo")]
pub use fault::Fault;
#[cfg(feature = "kubo")]
pub use fault_proxy::FaultProxy;
#[cfg(any(feature = "kubo", feature = "network"))]
pub use free_port::free_port;
#[cfg(feature = "kubo")]
pub use held::{Held, number_of};
#[cfg(feature = "javascript")]
pub use javascript_peer::JavaScriptPeer;
#[cfg(feature = "kubo")]
pub use kubo_daemon::KuboDaemon;
#[cfg(feature = "kubo")]
pub use kubo_daemon_options::KuboDaemonOptions;
#[cfg(feature = "kubo")]
pub use linked_blocks::LinkedBlocks;
#[cfg(feature = "kubo")]
pub use scripted_server::ScriptedServer;
#[cfg(feature = "kubo")]
pub use tls_proxy::TlsProxy;
