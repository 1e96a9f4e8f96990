//! Encrypted connections.

use debros_ipfs::{Kubo, KuboError, KuboOptions};
use debros_tests::{KuboDaemon, LinkedBlocks, TlsProxy};

use crate::checked;

#[tokio::test]
async fn a_daemon_is_reached_through_tls_by_who_trusts_its_authority() {
    let daemon = KuboDaemon::start();
    let proxy = TlsProxy::start(daemon.address()).await;
    let kubo = Kubo::connect(KuboOptions::new(proxy.url()).root_certificate(proxy.authority())).await.unwrap();
    let sent = LinkedBlocks::new("tls", 100, 10_000);
    assert_eq!(kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap().blocks, 101);
    let mut blocks = kubo.dag_export(&sent.root()).await.unwrap();
    let mut got = 0;
    while blocks.next().await.unwrap().is_some() {
        got += 1;
    }
    assert_eq!(got, 101);

    let other = TlsProxy::start(daemon.address()).await;
    for options in [KuboOptions::new(proxy.url()), KuboOptions::new(proxy.url()).root_certificate(other.authority())] {
        let error = Kubo::connect(options).await.unwrap_err();
        assert!(matches!(&error, KuboError::Tls { url, .. } if *url == proxy.url()), "{error:?}");
        assert!(error.to_string().contains("root_certificate") && error.is_unreachable(), "{error}");
    }
    let error = Kubo::new(KuboOptions::new(proxy.url()).root_certificate("no certificate")).unwrap_err();
    assert!(matches!(&error, KuboError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_plain_daemon_cannot_be_asked_by_https() {
    let daemon = KuboDaemon::start();
    let error = checked(&daemon.url().replace("http:", "https:")).await;
    assert!(matches!(&error, KuboError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("`http://`"), "{error}");
}

#[tokio::test]
async fn an_encrypted_daemon_cannot_be_asked_by_http() {
    let daemon = KuboDaemon::start();
    let proxy = TlsProxy::start(daemon.address()).await;
    let error = checked(&proxy.url().replace("https:", "http:")).await;
    assert!(matches!(&error, KuboError::NotKubo { .. }), "{error:?}");
}
