//! A database is opened by its address, on either side.

use crate::ours::Ours;
use debros_core::Value;
use debros_orbit::{AccessSpec, DatabaseKind, DatabaseSpec, Payload, ReadDocuments as _};
use debros_tests::JavaScriptPeer;
use serde_json::json;

#[tokio::test]
async fn a_database_of_theirs_is_opened_by_its_address_and_read() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    for (kind, name) in [("documents", "docs"), ("keyvalue", "keys"), ("events", "events")] {
        let opened = theirs.ask("open", json!({ "name": name, "type": kind }));
        let address = opened["address"].as_str().unwrap();
        for n in 0..20 {
            let value = json!({ "_id": format!("k{n}"), "n": n });
            match kind {
                "events" => theirs.ask("add", json!({ "db": address, "value": value })),
                _ => theirs.ask("put", json!({ "db": address, "key": format!("k{n}"), "value": value })),
            };
        }
        ours.dial(&theirs).await;
        let database = ours.open_address(address).await;
        let info = ours.node.snapshot().unwrap().info(database).unwrap();
        assert_eq!((info.spec.name.clone(), info.spec.kind.to_string()), (name.to_owned(), kind.to_owned()));
        assert_eq!(info.spec.access, AccessSpec::Ipfs { write: vec![theirs.user().to_owned()] });
        ours.until_equal(&mut theirs, database, 20).await;
        // and what comes later
        match kind {
            "events" => theirs.ask("add", json!({ "db": address, "value": "later" })),
            "documents" => theirs.ask("del", json!({ "db": address, "key": "k3" })),
            _ => theirs.ask("put", json!({ "db": address, "key": "k3", "value": "later" })),
        };
        ours.until_equal(&mut theirs, database, 21).await;
    }
    assert_eq!(theirs.errors(), [""; 0]);
}

#[tokio::test]
async fn a_database_of_ours_is_opened_by_its_address_and_read() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    for (kind, name) in
        [(DatabaseKind::Documents, "docs"), (DatabaseKind::KeyValue, "keys"), (DatabaseKind::Events, "events")]
    {
        let database = ours.open(&DatabaseSpec::documents(name, [ours.me.id()]).of_kind(kind)).await;
        for n in 0..20 {
            let key = format!("k{n}");
            match kind {
                DatabaseKind::Documents => ours.put(database, &key).await,
                DatabaseKind::KeyValue => {
                    ours.write(database, Payload::put(Value::from(key.clone()), key.into())).await;
                }
                _ => ours.write(database, Payload::add(key.into())).await,
            }
        }
        ours.be_dialled(&mut theirs);
        let address = ours.address(database);
        theirs.ask("open", json!({ "address": address }));
        ours.until_equal(&mut theirs, database, 20).await;
    }
    assert_eq!(theirs.errors(), [""; 0]);
}

#[tokio::test]
async fn one_database_of_hundreds_is_opened() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    let mut database = None;
    for n in 0..300 {
        // the names of the protocols of all would not fit a message of identify, and without it they do not talk to us
        database = Some(ours.open(&DatabaseSpec::documents(format!("docs{n}"), ["*"])).await);
    }
    let database = database.unwrap();
    ours.put(database, "ours").await;
    ours.be_dialled(&mut theirs);
    let address = ours.address(database);
    theirs.ask("open", json!({ "address": address }));
    theirs.ask("put", json!({ "db": address, "value": { "_id": "theirs" } }));
    ours.until_equal(&mut theirs, database, 2).await;
}
