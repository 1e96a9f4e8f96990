//! What goes wrong on the way.

use std::time::Duration;

use debros_ipfs::{Kubo, KuboError, KuboOptions};
use debros_tests::{Fault, FaultProxy, KuboDaemon, LinkedBlocks};

use crate::client;

#[tokio::test]
async fn connections_are_kept() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = client(proxy.url());
    let sent = LinkedBlocks::new("kept", 10, 300);
    for _ in 0..20 {
        kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap();
        let mut blocks = kubo.dag_export(&sent.root()).await.unwrap();
        while blocks.next().await.unwrap().is_some() {}
        for (cid, data) in &sent.blocks {
            assert_eq!(kubo.block_get_local(cid).await.unwrap().as_ref(), Some(data));
        }
        kubo.pin_add(&sent.root(), "debros/kept").await.unwrap();
        assert_eq!(kubo.pins_named("debros/").await.unwrap().len(), 1);
        let nowhere = LinkedBlocks::new("nowhere", 0, 0).root();
        assert_eq!(kubo.block_get_local(&nowhere).await.unwrap(), None);
    }
    assert_eq!(proxy.connections(), 1, "one call after the other needs one connection");

    let calls = (0..8).map(|_| {
        let (kubo, root) = (kubo.clone(), sent.root());
        tokio::spawn(async move {
            for _ in 0..50 {
                assert!(kubo.block_get_local(&root).await.unwrap().is_some());
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert!(proxy.connections() <= 20, "{} connections for 400 calls, 8 at once", proxy.connections());
}

#[tokio::test]
async fn a_daemon_that_says_nothing_is_given_up() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let within = Duration::from_millis(100);
    let kubo = Kubo::new(KuboOptions::new(proxy.url()).answer_within(within)).unwrap();
    let sent = LinkedBlocks::new("stalled", 1_000, 20_000);
    let root = sent.root();
    proxy.set(Fault::Stall);
    let errors = [
        ("version", kubo.check().await.err()),
        ("dag/import", kubo.dag_import(vec![sent.car()], sent.largest()).await.err()),
        ("dag/export", kubo.dag_export(&root).await.err()),
        ("pin/add", kubo.pin_add(&root, "n").await.err()),
        ("pin/ls", kubo.pins("recursive", None).await.err()),
        ("pin/rm", kubo.pin_rm(&root).await.err()),
        ("block/get", kubo.block_get_local(&root).await.err()),
        // not to be told is not to be told that there is none
        ("block/get", kubo.block_get(&root, Duration::from_millis(1)).await.err()),
        ("swarm/peers", kubo.swarm_peers().await.err()),
    ];
    for (asked, error) in errors {
        let Some(KuboError::Timeout { call, url, .. }) = &error else { panic!("{asked}: {error:?}") };
        assert_eq!((*call, url), (asked, &proxy.url()));
        assert!(error.is_some_and(|error| error.is_unreachable()));
    }
    proxy.set(Fault::Pass);
    client(proxy.url()).check().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_stalls_in_the_middle_is_given_up() {
    let daemon = KuboDaemon::start();
    let sent = LinkedBlocks::new("stalls", 200, 100_000);
    client(daemon.url()).dag_import(vec![sent.car()], sent.largest()).await.unwrap();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = Kubo::new(KuboOptions::new(proxy.url()).answer_within(Duration::from_millis(500))).unwrap();
    let mut blocks = kubo.dag_export(&sent.root()).await.unwrap();
    assert!(blocks.next().await.unwrap().is_some());
    proxy.set(Fault::Stall);
    let error = loop {
        match blocks.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("20 MB were on their way already"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, KuboError::Timeout { call: "dag/export", .. }), "{error:?}");
}

#[tokio::test]
async fn a_slow_way_is_no_error() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    proxy.set(Fault::Delay(Duration::from_millis(20)));
    let kubo = client(proxy.url());
    let sent = LinkedBlocks::new("slow", 20, 1_000);
    assert_eq!(kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap().blocks, 21);
    assert!(kubo.is_pinned(&sent.root()).await.unwrap());
}

#[tokio::test]
async fn what_is_refused_is_unreachable_until_it_is_back() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = client(proxy.url());
    kubo.check().await.unwrap();
    proxy.set(Fault::Refuse);
    let error = kubo.check().await.unwrap_err();
    assert!(matches!(&error, KuboError::Unreachable { .. }), "{error:?}");
    proxy.set(Fault::Pass);
    kubo.check().await.unwrap();
    // connections that were kept are gone, which nobody who calls notices
    proxy.disconnect();
    kubo.check().await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_cut_off_is_an_error() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = client(proxy.url());
    let sent = LinkedBlocks::new("cut request", 100, 100_000);
    let len = sent.car().len();
    for after in [0, 1, 100, 10_000, len / 2, len - 10] {
        proxy.set(Fault::CutRequest(after));
        let error = kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap_err();
        assert!(matches!(&error, KuboError::Unreachable { .. }), "{after}: {error:?}");
        proxy.set(Fault::Pass);
        assert!(!kubo.is_pinned(&sent.root()).await.unwrap(), "{after}");
    }
    assert_eq!(kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap().blocks, 101);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_never_taken_for_a_short_one() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = client(proxy.url());
    let sent = LinkedBlocks::new("cut answer", 30, 3_000);
    kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap();
    let car = sent.car();
    // some of them end at the end of a block
    let section = 3_000 + 36 + 40;
    let mut cuts = vec![0, 1, 10, 200, 1_000, car.len() / 2, car.len() - 1, car.len(), car.len() + 20];
    cuts.extend((0..section).step_by(97).map(|at| 10_000 + at));
    for after in cuts {
        proxy.set(Fault::CutAnswer(after));
        let error = match kubo.dag_export(&sent.root()).await {
            Err(error) => error,
            Ok(mut blocks) => loop {
                match blocks.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("cut after {after} bytes it ends well"),
                    Err(error) => break error,
                }
            },
        };
        assert!(matches!(&error, KuboError::Broken { .. } | KuboError::Unreachable { .. }), "{after}: {error:?}");
    }
    for after in [0, 10, 100] {
        proxy.set(Fault::CutAnswer(after));
        for error in [
            kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.err(),
            kubo.pins("recursive", None).await.err(),
            kubo.pin_add(&sent.root(), "debros/cut").await.err(),
            kubo.block_get_local(&sent.root()).await.err(),
            kubo.check().await.err(),
        ] {
            let error = error.expect("it was cut off");
            assert!(matches!(&error, KuboError::Broken { .. } | KuboError::Unreachable { .. }), "{after}: {error:?}");
        }
    }
    proxy.set(Fault::Pass);
    assert!(kubo.is_pinned(&sent.root()).await.unwrap());
}

#[tokio::test]
async fn a_full_disk_in_the_middle_of_a_file_is_told() {
    let daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = client(proxy.url());
    let sent = LinkedBlocks::new("full", 400, 100_000);
    for after in [10_000, 1_000_000, 20_000_000] {
        proxy.set(Fault::NoSpace(after));
        let error = kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap_err();
        let KuboError::Refused { call: "dag/import", message, .. } = &error else { panic!("{after}: {error:?}") };
        assert_eq!(message, "no space left on device");
        proxy.set(Fault::Pass);
        assert!(!kubo.is_pinned(&sent.root()).await.unwrap());
    }
    assert_eq!(kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap().blocks, 401);
}

#[tokio::test]
async fn a_daemon_that_is_killed_in_the_middle_is_unreachable() {
    let mut daemon = KuboDaemon::start();
    let proxy = FaultProxy::start(daemon.address());
    let kubo = client(proxy.url());
    let sent = LinkedBlocks::new("killed", 1_000, 100_000);
    let before = proxy.requested();
    let call = tokio::spawn({
        let (kubo, car, largest) = (kubo.clone(), sent.car(), sent.largest());
        async move { kubo.dag_import_pinned(vec![car], largest).await }
    });
    while proxy.requested() < before + 1_000_000 {
        assert!(!call.is_finished());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    daemon.kill();
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(&error, KuboError::Unreachable { .. }), "{error:?}");
    daemon.start_again();
    assert_eq!(kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap().blocks, 1_001);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_on_does_no_harm() {
    let daemon = KuboDaemon::start();
    let kubo = client(daemon.url());
    let sent = LinkedBlocks::new("dropped", 100, 100_000);
    kubo.dag_import(vec![sent.car()], sent.largest()).await.unwrap();
    for _ in 0..10 {
        let mut blocks = kubo.dag_export(&sent.root()).await.unwrap();
        assert_eq!(blocks.next().await.unwrap().unwrap().0, sent.root());
        drop(blocks);
        assert_eq!(kubo.block_get_local(&sent.root()).await.unwrap().as_ref(), Some(&sent.blocks[0].1));
    }
}
