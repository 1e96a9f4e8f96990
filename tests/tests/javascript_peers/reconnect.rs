//! Late ones, and those that were away.

use crate::ours::Ours;
use debros_orbit::DatabaseSpec;
use debros_tests::JavaScriptPeer;
use serde_json::json;

#[tokio::test]
async fn whoever_opens_late_gets_everything() {
    // they are late
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    let database = ours.open(&DatabaseSpec::documents("docs", ["*"])).await;
    let address = ours.address(database);
    ours.dial(&theirs).await;
    for n in 0..30 {
        ours.put(database, &format!("ours{n}")).await;
    }
    theirs.ask("open", json!({ "address": address }));
    ours.until_equal(&mut theirs, database, 30).await;
    // we are
    let opened = theirs.ask("open", json!({ "name": "other", "type": "documents", "write": ["*"] }));
    let address = opened["address"].as_str().unwrap();
    for n in 0..30 {
        theirs.ask("put", json!({ "db": address, "value": { "_id": format!("theirs{n}") } }));
    }
    let database = ours.open_address(address).await;
    ours.until_equal(&mut theirs, database, 30).await;
}

#[tokio::test]
async fn what_was_written_apart_comes_together() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    let database = ours.open(&DatabaseSpec::documents("docs", ["*"])).await;
    let address = ours.address(database);
    // before they have ever met: two heads, and no common entry
    ours.put(database, "first of ours").await;
    let peer = ours.dial(&theirs).await;
    theirs.ask("open", json!({ "address": address }));
    theirs.ask("put", json!({ "db": address, "value": { "_id": "first of theirs" } }));
    let mut entries = 2;
    ours.until_equal(&mut theirs, database, entries).await;
    for round in 0..3 {
        if round == 1 {
            theirs.ask("hangup", json!({}));
        }
        // otherwise it would be dialled again
        ours.replication.disconnect(peer);
        ours.until("the connection has ended", || ours.replication.peers().is_empty()).await;
        while theirs.ask("connections", json!({}))["peers"] != json!([]) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        for n in 0..5 {
            ours.put(database, &format!("ours {round} {n}")).await;
            theirs.ask("put", json!({ "db": address, "value": { "_id": format!("theirs {round} {n}") } }));
        }
        entries += 10;
        if round == 2 {
            ours.be_dialled(&mut theirs);
        } else {
            ours.dial(&theirs).await;
        }
        ours.until_equal(&mut theirs, database, entries).await;
        assert!(ours.heads(database).len() > 1, "both have written apart");
    }
}

#[tokio::test]
async fn many_heads_are_taken_at_once() {
    // three of ours that do not know each other, and a fourth that has the heads of all
    let mut all = Vec::new();
    let spec = DatabaseSpec::documents("docs", ["*"]);
    for n in 0..3 {
        let ours = Ours::start().await;
        let database = ours.open(&spec).await;
        ours.put(database, &format!("of {n}")).await;
        all.push((ours, database));
    }
    let (last, database) = all.pop().unwrap();
    for (ours, _) in &all {
        last.replication.dial(ours.replication.addresses().pop().unwrap()).await.unwrap();
    }
    last.until("the heads of all", || last.heads(database).len() == 3).await;
    for (ours, _) in &all {
        ours.replication.close().await;
    }
    // it has the blocks, and listens to the topic only when they do: so they dial, and do not read at once
    assert!(last.replication.close_database(database).await.unwrap());
    let mut theirs = JavaScriptPeer::start("theirs");
    last.be_dialled(&mut theirs);
    theirs.ask("open", json!({ "address": last.address(database) }));
    last.replication.open(database).await.unwrap();
    last.until_equal(&mut theirs, database, 3).await;
    assert_eq!(last.heads(database).len(), 3);
    // two heads in one piece would be told as an error, and come again by another way
    assert_eq!(theirs.errors(), [""; 0]);
    // the other way round: a new one of ours gets three heads from them
    let late = Ours::start().await;
    let at_late = late.open(&spec).await;
    last.replication.close().await;
    late.dial(&theirs).await;
    late.until_equal(&mut theirs, at_late, 3).await;
}
