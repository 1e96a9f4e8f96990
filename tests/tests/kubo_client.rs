//! The client of a Kubo daemon, against a real one.

use debros_ipfs::Kubo;
use debros_tests::{KuboDaemon, KuboDaemonOptions};

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_is_stopped_started_again_and_wiped() {
    let mut daemon = KuboDaemon::start();
    let kubo = Kubo::new(daemon.url().as_str().into()).unwrap();
    let first = kubo.check().await.unwrap();
    assert_eq!(first.peer, daemon.peer_id());
    assert!(daemon.peer_address().ends_with(&first.peer));
    daemon.stop();
    assert!(kubo.check().await.unwrap_err().is_unreachable());
    daemon.start_again();
    assert_eq!(kubo.check().await.unwrap().peer, first.peer);
    daemon.kill();
    daemon.start_again();
    daemon.wipe();
    assert_ne!(kubo.check().await.unwrap().peer, first.peer);
    let closed = KuboDaemonOptions::new().authorization("bearer:secret", &["/api/v0"]).storage_max("1GB").start();
    assert!(closed.peer_address().contains("/127.0.0.1/"));
    assert_eq!(closed.ipfs_ok(&["config", "Datastore.StorageMax"]).trim(), "1GB");
    assert!(closed.gateway_url().starts_with("http://127.0.0.1:"));
}
