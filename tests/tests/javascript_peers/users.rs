//! The announcements of users are a plain events database to a JavaScript peer.

use debros::prelude::*;
use debros_tests::JavaScriptPeer;
use serde_json::json;
use std::time::{Duration, Instant};

#[model(scope = user)]
#[derive(Debug, Clone)]
struct Note {
    #[field(key)]
    id: Id<Note>,
}

#[tokio::test]
async fn users_are_announced_by_both() {
    let (folder, mut theirs) = (tempfile::tempdir().unwrap(), JavaScriptPeer::start("theirs"));
    let builder = Db::builder(folder.path(), "notes").listen("/ip4/127.0.0.1/tcp/0").local_discovery(false);
    let db = builder.open(models![Note]).await.unwrap();
    let anna = db.identity("anna").await.unwrap();
    db.announce(&anna, "Anna").await.unwrap();
    let sync = db.network().sync().await.unwrap();
    let address = sync.into_iter().find(|sync| sync.model == "!users").unwrap().address;

    db.network().dial(theirs.address()).await.unwrap();
    theirs.ask("open", json!({ "address": address }));
    theirs.wait_for(&address, 2);
    let all = theirs.ask("all", json!({ "db": address }))["all"].to_string();
    assert!(all.contains(r#"{"name":"Anna"}"#), "{all}");

    theirs.ask("add", json!({ "db": address, "value": { "name": "Theirs" } }));
    theirs.ask("add", json!({ "db": address, "value": { "name": "Theirs, later" } }));
    let begin = Instant::now();
    let users = loop {
        let users = db.users().await.unwrap();
        if users.iter().any(|user| user.name.as_deref() == Some("Theirs, later")) {
            break users;
        }
        assert!(begin.elapsed() < Duration::from_secs(90), "they never came: {users:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let of = |id: UserId| users.iter().find(|user| user.id == id).unwrap();
    assert_eq!((users.len(), of(anna.user()).name.as_deref()), (2, Some("Anna")));
    assert!(users.iter().all(|user| user.devices.len() == 1), "{users:?}");
    assert_eq!(theirs.errors(), [""; 0]);
    db.close().await.unwrap();
}
