//! What the tests that cross the crates of debros share.

#[cfg(feature = "kubo")]
mod kubo_daemon;
#[cfg(feature = "kubo")]
mod kubo_daemon_options;

#[cfg(feature = "kubo")]
pub use kubo_daemon::KuboDaemon;
#[cfg(feature = "kubo")]
pub use kubo_daemon_options::KuboDaemonOptions;
