//! Entries that do not fit the frames of the exchange of heads.

use crate::ours::Ours;
use debros_orbit::{DatabaseKind, DatabaseSpec, Payload};
use debros_tests::JavaScriptPeer;
use serde_json::json;

#[tokio::test]
async fn entries_of_200_kilobytes() {
    let (ours, mut theirs) = (Ours::start().await, JavaScriptPeer::start("theirs"));
    let events = DatabaseSpec::documents("events", ["*"]).of_kind(DatabaseKind::Events);
    let database = ours.open(&events).await;
    let address = ours.address(database);
    // one before they meet, which is a head that is too large for an exchange with them
    ours.write(database, Payload::add("o".repeat(200_000).into())).await;
    ours.dial(&theirs).await;
    theirs.ask("open", json!({ "address": address }));
    ours.until_equal(&mut theirs, database, 1).await;
    for n in 1..4 {
        ours.write(database, Payload::add(format!("{n}").repeat(200_000).into())).await;
        theirs.ask("add", json!({ "db": address, "value": format!("{n}").repeat(200_001) }));
    }
    ours.until_equal(&mut theirs, database, 7).await;
    // and one that we get by an exchange
    let opened = theirs.ask("open", json!({ "name": "theirs", "type": "events", "write": ["*"] }));
    let address = opened["address"].as_str().unwrap();
    theirs.ask("add", json!({ "db": address, "value": "t".repeat(200_000) }));
    let database = ours.open_address(address).await;
    ours.until_equal(&mut theirs, database, 1).await;
    assert_eq!(theirs.errors(), [""; 0]);
}
