//! Both sides write, at once and after each other.

use crate::ours::Ours;
use debros_orbit::{DatabaseKind, DatabaseSpec, Payload};
use debros_tests::JavaScriptPeer;
use serde_json::json;

#[tokio::test]
async fn both_write_documents_and_have_the_same() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    let database = ours.open(&DatabaseSpec::documents("docs", ["*"])).await;
    let address = ours.address(database);
    ours.dial(&theirs).await;
    theirs.ask("open", json!({ "address": address }));
    let mut entries = 0;
    for n in 0..10 {
        ours.put(database, &format!("ours{n}")).await;
        theirs.ask("put", json!({ "db": address, "value": { "_id": format!("theirs{n}"), "by": "them" } }));
        // the same key on both sides
        ours.put(database, "shared").await;
        theirs.ask("put", json!({ "db": address, "value": { "_id": "shared", "by": "them" } }));
        entries += 4;
    }
    ours.until_equal(&mut theirs, database, entries).await;
    // and one after the other
    ours.put(database, "last of ours").await;
    theirs.wait_for(&address, entries + 1);
    theirs.ask("put", json!({ "db": address, "value": { "_id": "last of theirs", "by": "them" } }));
    ours.until_equal(&mut theirs, database, entries + 2).await;
    assert_eq!(ours.heads(database).len(), 1);
    assert_eq!(theirs.errors(), [""; 0]);
}

#[tokio::test]
async fn both_write_keys_and_events_and_have_the_same() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    ours.be_dialled(&mut theirs);
    for kind in [DatabaseKind::KeyValue, DatabaseKind::Events] {
        let database = ours.open(&DatabaseSpec::documents("both", ["*"]).of_kind(kind)).await;
        let address = ours.address(database);
        theirs.ask("open", json!({ "address": address }));
        for n in 0..10 {
            if kind == DatabaseKind::Events {
                ours.write(database, Payload::add(format!("ours{n}").into())).await;
                theirs.ask("add", json!({ "db": address, "value": format!("theirs{n}") }));
            } else {
                ours.write(database, Payload::put(format!("k{}", n % 4).into(), format!("ours{n}").into())).await;
                theirs
                    .ask("put", json!({ "db": address, "key": format!("k{}", n % 3), "value": format!("theirs{n}") }));
            }
        }
        ours.until_equal(&mut theirs, database, 20).await;
    }
}

#[tokio::test]
async fn one_of_ours_between_two_of_theirs() {
    let ours = Ours::start().await;
    let (mut one, mut two) = (JavaScriptPeer::start("one"), JavaScriptPeer::start("two"));
    let database = ours.open(&DatabaseSpec::documents("docs", ["*"])).await;
    let address = ours.address(database);
    for peer in [&mut one, &mut two] {
        ours.be_dialled(peer);
        peer.ask("open", json!({ "address": address }));
    }
    for n in 0..5 {
        one.ask("put", json!({ "db": address, "value": { "_id": format!("one{n}"), "by": "one" } }));
        two.ask("put", json!({ "db": address, "value": { "_id": format!("two{n}"), "by": "two" } }));
    }
    ours.until_equal(&mut one, database, 10).await;
    ours.until_equal(&mut two, database, 10).await;
}
