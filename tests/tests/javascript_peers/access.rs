//! Who may not write is refused on both sides.

use crate::ours::Ours;
use debros_orbit::{DatabaseSpec, Entry, Hold, Payload, ReadDocuments as _};
use debros_tests::JavaScriptPeer;
use serde_json::json;

#[tokio::test]
async fn a_writer_without_access_is_refused_on_both_sides() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    // ours alone
    let database = ours.open(&DatabaseSpec::documents("docs", [ours.me.id()])).await;
    let address = ours.address(database);
    ours.dial(&theirs).await;
    theirs.ask("open", json!({ "address": address }));
    ours.put(database, "ours").await;
    ours.until_equal(&mut theirs, database, 1).await;
    let refused = theirs.try_ask("put", json!({ "db": address, "value": { "_id": "theirs" } }));
    assert!(refused.is_err(), "{refused:?}");
    // theirs alone
    let opened = theirs.ask("open", json!({ "name": "theirs", "type": "documents" }));
    let address = opened["address"].as_str().unwrap().to_owned();
    theirs.ask("put", json!({ "db": address, "value": { "_id": "theirs" } }));
    let database = ours.open_address(&address).await;
    ours.until_equal(&mut theirs, database, 1).await;
    let (me, head) = (ours.me.clone(), ours.node.snapshot().unwrap().heads(database).unwrap());
    let mine = Payload::put("ours".into(), debros_core::Map::from_iter([("_id", "ours")]).into());
    let refused = ours.node.write(debros_orbit::Durability::Local, {
        let (me, mine) = (me.clone(), mine.clone());
        move |writer| writer.append(database, &me, mine)
    });
    assert!(refused.await.is_err());
    // an entry that is made all the same is held back here, and does not join there
    let forged = Entry::create(&me, address.parse().unwrap(), mine.into_value(), &head, &[], 2).unwrap();
    let identity = me.block().to_bytes();
    ours.node.receive(database, "me", vec![identity], vec![]).await.unwrap();
    let published = theirs.ask("publish", json!({ "topic": address, "bytes": hex(forged.bytes()) }));
    assert_eq!(published["recipients"], 1);
    let held = || ours.node.snapshot().unwrap().held(Some(database)).map(|held| held.unwrap().hold).collect::<Vec<_>>();
    ours.until("it is held back", || !held().is_empty()).await;
    assert!(matches!(&held()[..], [Hold::Denied { .. }]), "{:?}", held());
    let complaints = theirs.errors().len();
    theirs.ask("receive", json!({ "db": address, "bytes": hex(forged.bytes()) }));
    theirs.ask("put", json!({ "db": address, "value": { "_id": "again" } }));
    ours.until_equal(&mut theirs, database, 2).await;
    assert!(theirs.errors().len() > complaints, "they complain of the forged one");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
