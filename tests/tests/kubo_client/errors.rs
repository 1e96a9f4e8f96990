//! What is no daemon, or not one that can be used.

use std::{
    io::{ErrorKind, Write as _},
    net::TcpListener,
    sync::mpsc,
    thread,
    time::Duration,
};

use debros_ipfs::{Kubo, KuboError, KuboOptions};
use debros_tests::{KuboDaemon, KuboDaemonOptions, LinkedBlocks, ScriptedServer};

use crate::checked;

#[tokio::test]
async fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = checked(&format!("http://{port}")).await;
    assert!(matches!(error, KuboError::Unreachable { .. }), "{error:?}");
    assert!(error.is_unreachable());
    let error = checked("http://a.name.that.is.invalid:5001").await;
    assert!(matches!(error, KuboError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn who_has_no_secret_is_not_let_in() {
    let daemon = KuboDaemonOptions::new()
        .authorization("basic:me:s3cret", &["/api/v0"])
        .authorization("bearer:token", &["/api/v0"])
        .authorization("bearer:narrow", &["/api/v0/id", "/api/v0/pin/ls"])
        .start();
    let plain = KuboOptions::new(daemon.url());
    for options in [plain.clone(), plain.clone().basic("me", "wrong"), plain.clone().bearer("s3cret")] {
        let error = Kubo::connect(options).await.unwrap_err();
        assert!(matches!(&error, KuboError::Unauthorized { .. }), "{error:?}");
        assert!(error.to_string().contains(&daemon.url()) && !error.to_string().contains("s3cret"), "{error}");
    }
    let in_url = KuboOptions::new(daemon.url().replace("http://", "http://me:s3cret@"));
    for options in [plain.clone().basic("me", "s3cret"), plain.clone().bearer("token"), in_url] {
        let kubo = Kubo::connect(options).await.unwrap();
        assert_eq!(kubo.url(), daemon.url());
        let sent = LinkedBlocks::new("let in", 3, 50);
        assert_eq!(kubo.dag_import_pinned(vec![sent.car()], sent.largest()).await.unwrap().blocks, 4);
    }
    // let in to some calls only
    let kubo = Kubo::new(plain.bearer("narrow")).unwrap();
    assert_eq!(kubo.pins("recursive", None).await.unwrap().len(), 2);
    let sent = LinkedBlocks::new("not let in", 2_000, 5_000);
    let error = kubo.dag_import(vec![sent.car()], sent.largest()).await.unwrap_err();
    assert!(matches!(&error, KuboError::Unauthorized { call: "dag/import", .. }), "{error:?}");
    // the test's own way to the command line is let in
    assert!(daemon.peer_address().contains("/127.0.0.1/"));
}

#[tokio::test]
async fn a_gateway_is_no_rpc() {
    let daemon = KuboDaemon::start();
    let error = checked(&daemon.gateway_url()).await;
    assert!(matches!(&error, KuboError::NotKubo { .. }), "{error:?}");
    assert!(error.to_string().contains("gateway"), "{error}");
}

#[tokio::test]
async fn other_servers_are_no_rpc() {
    let unsupported = "HTTP/1.1 501 Unsupported method ('POST')\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
    let moved = "HTTP/1.1 301 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for answer in [
        ScriptedServer::ok("text/html", "<html><body>It works!</body></html>"),
        ScriptedServer::ok("application/json", "{\"version\":1}"),
        ScriptedServer::ok("application/json", "{\"Version\":\"a word\"}"),
        ScriptedServer::ok("application/json", ""),
        unsupported.to_owned(),
        moved.to_owned(),
        "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
    ] {
        let server = ScriptedServer::start(vec![("/api/v0/version", answer.clone())]);
        let error = checked(&server.url()).await;
        assert!(matches!(&error, KuboError::NotKubo { .. }), "{answer}: {error:?}");
    }
    let server = ScriptedServer::start(Vec::new());
    let error = checked(&server.url()).await;
    assert!(matches!(&error, KuboError::NotKubo { reason, .. } if reason.contains("404")), "{error:?}");
}

#[tokio::test]
async fn one_that_speaks_first_is_no_rpc() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // it speaks to whoever comes, and is not over before it is asked
    let (ended, over) = mpsc::channel::<()>();
    let server = thread::spawn(move || {
        listener.set_nonblocking(true).unwrap();
        let mut clients = Vec::new();
        while over.try_recv() == Err(mpsc::TryRecvError::Empty) {
            match listener.accept() {
                Ok((mut client, _)) => {
                    client.write_all(b"220 mail.example.org ESMTP\r\n").unwrap();
                    clients.push(client);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                Err(error) => panic!("{error}"),
            }
        }
    });
    for _ in 0..20 {
        let error = checked(&url).await;
        assert!(matches!(&error, KuboError::NotKubo { .. }), "{error:?}");
    }
    drop(ended);
    server.join().unwrap();
}

/// An answer that says neither how long it is nor where it ends may have been cut off anywhere.
#[tokio::test]
async fn an_answer_without_a_length_is_no_answer() {
    let pin = r#"{"Cid":"bafkreiglbo2l5lp25vteuexq3svg5hoad76mehz4tlrbwheslvluxcd63a","Type":"recursive","Name":"x"}"#;
    for head in ["HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"] {
        let server = ScriptedServer::start(vec![("/api/v0/pin/ls", format!("{head}{pin}\n"))]);
        let kubo = Kubo::new(KuboOptions::new(server.url())).unwrap();
        let error = kubo.pins_named("x").await.unwrap_err();
        assert!(matches!(&error, KuboError::Broken { call: "pin/ls", .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_old_daemon_is_too_old() {
    for (version, old) in [("0.42.1", true), ("0.4.23", true), ("0.9.0-rc1", true), ("0.43.0", false), ("1.0.0", false)]
    {
        let server = ScriptedServer::start(vec![
            ("/api/v0/version", ScriptedServer::ok("application/json", &format!("{{\"Version\":\"{version}\"}}"))),
            ("/api/v0/id", ScriptedServer::ok("application/json", "{\"ID\":\"12D3KooW\",\"Addresses\":null}")),
        ]);
        let checked = crate::client(server.url()).check().await;
        match checked {
            Ok(daemon) => assert_eq!((old, &*daemon.version, &*daemon.peer), (false, version, "12D3KooW")),
            Err(error) => {
                assert!(old && matches!(&error, KuboError::TooOld { version: is, .. } if is == version), "{error:?}");
                assert!(error.to_string().contains("0.43"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_proxy_without_its_daemon_is_told_as_such() {
    for status in ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone");
        let server = ScriptedServer::start(vec![("/api/v0/version", answer)]);
        let error = checked(&server.url()).await;
        assert!(matches!(&error, KuboError::Unreachable { reason, .. } if reason.contains(status)), "{error:?}");
    }
}

#[tokio::test]
async fn an_error_in_a_trailer_is_an_error() {
    let chunked = |body: &str| {
        let begin = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTrailer: X-Stream-Error\r\nTransfer-Encoding: chunked";
        let len = body.len();
        format!(
            "{begin}\r\nConnection: close\r\n\r\n{len:x}\r\n{body}\r\n0\r\nX-Stream-Error: the disk is gone\r\n\r\n"
        )
    };
    let some = LinkedBlocks::new("trailer", 1, 1);
    let root = some.root();
    let server = ScriptedServer::start(vec![
        ("/api/v0/pin/ls?arg", chunked("{}\n")),
        ("/api/v0/pin/ls", chunked(&format!("{{\"Cid\":\"{root}\",\"Type\":\"recursive\",\"Name\":\"n\"}}\n"))),
        ("/api/v0/pin/add", chunked(&format!("{{\"Pins\":[\"{root}\"]}}\n"))),
        ("/api/v0/pin/rm", chunked(&format!("{{\"Pins\":[\"{root}\"]}}\n"))),
        ("/api/v0/dag/import", chunked("{\"Stats\":{\"BlockCount\":2,\"BlockBytesCount\":9}}\n")),
        ("/api/v0/repo/stat", chunked("{\"RepoSize\":1,\"StorageMax\":2}\n")),
        ("/api/v0/block/get", chunked(std::str::from_utf8(&some.blocks[1].1[..1]).unwrap_or("x"))),
    ]);
    let kubo = crate::client(server.url());
    let errors = [
        ("pin/ls", kubo.pins("recursive", None).await.err()),
        ("pin/ls", kubo.is_pinned(&root).await.err()),
        ("pin/add", kubo.pin_add(&root, "n").await.err()),
        ("pin/rm", kubo.pin_rm(&root).await.err()),
        ("dag/import", kubo.dag_import(vec![some.car()], some.largest()).await.err()),
        ("repo/stat", kubo.repo_stat(false).await.err()),
        ("block/get", kubo.block_get_local(&root).await.err()),
    ];
    for (asked, error) in errors {
        let Some(KuboError::Refused { call, message, .. }) = &error else { panic!("{asked}: {error:?}") };
        assert_eq!((*call, &**message), (asked, "the disk is gone"));
    }
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_an_error() {
    let json = |body: &str| ScriptedServer::ok("application/json", body);
    let some = LinkedBlocks::new("nonsense", 1, 1);
    let (root, leaf) = (some.root(), some.blocks[1].0);
    let server = ScriptedServer::start(vec![
        ("/api/v0/pin/ls", json("{\"Cid\":\"no cid\",\"Type\":\"recursive\"}\n")),
        ("/api/v0/pin/add", json(&format!("{{\"Pins\":[\"{leaf}\"]}}\n"))),
        ("/api/v0/dag/import", json("{\"Root\":{\"Cid\":{\"/\":\"no cid\"}}}\n")),
        ("/api/v0/dag/export", json("no file")),
        ("/api/v0/repo/stat", json("[]")),
        ("/api/v0/swarm/connect", json("no json")),
        ("/api/v0/pin/rm", json("no json")),
    ]);
    let kubo = crate::client(server.url());
    let errors = [
        ("pin/ls", kubo.pins("recursive", None).await.err()),
        ("pin/add", kubo.pin_add(&root, "n").await.err()),
        ("dag/import", kubo.dag_import(vec![some.car()], some.largest()).await.err()),
        ("dag/export", kubo.dag_export(&root).await.unwrap().next().await.err()),
        ("repo/stat", kubo.repo_stat(false).await.err()),
        ("swarm/connect", kubo.swarm_connect("/ip4/127.0.0.1/tcp/1/p2p/12D3KooW").await.err()),
        ("pin/rm", kubo.pin_rm(&root).await.err()),
    ];
    for (asked, error) in errors {
        let Some(KuboError::Broken { url, call, .. }) = &error else { panic!("{asked}: {error:?}") };
        assert_eq!((*call, url), (asked, &server.url()));
    }
    // an import that does not say how much was stored may have been cut off, and other bytes are no block
    let server = ScriptedServer::start(vec![
        ("/api/v0/dag/import", json("")),
        ("/api/v0/block/get", ScriptedServer::ok("application/octet-stream", "other bytes")),
    ]);
    let kubo = crate::client(server.url());
    let error = kubo.dag_import(vec![some.car()], some.largest()).await.unwrap_err();
    assert!(matches!(&error, KuboError::Broken { call: "dag/import", .. }), "{error:?}");
    let error = kubo.block_get_local(&root).await.unwrap_err();
    assert!(matches!(&error, KuboError::WrongBlock { cid, .. } if **cid == root), "{error:?}");
}

#[tokio::test]
async fn a_real_daemon_tells_in_the_middle_that_a_block_is_missing() {
    let daemon = KuboDaemonOptions::new().offline().start();
    let kubo = crate::client(daemon.url());
    let sent = LinkedBlocks::new("in the middle", 20, 100_000);
    kubo.dag_import(vec![sent.car_without(&[15])], sent.largest()).await.unwrap();
    let mut blocks = kubo.dag_export(&sent.root()).await.unwrap();
    let mut got = 0;
    let error = loop {
        match blocks.next().await {
            Ok(Some(_)) => got += 1,
            Ok(None) => panic!("it ended well after {got} blocks"),
            Err(error) => break error,
        }
    };
    assert!(got > 0 && matches!(&error, KuboError::Refused { call: "dag/export", .. }), "{got}: {error:?}");
}
