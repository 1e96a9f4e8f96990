//! Logs of JavaScript peers, replayed.

use crate::{bytes, documents::strings, filled, hashes, identity_of, load, manifest::database, text};
use debros_orbit::{AccessList, Hash, JavaScriptLog};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap};

/// The blocks of a scenario: its entries, and the identities of all users.
pub(crate) fn blocks(entries: &[Json]) -> HashMap<Hash, Vec<u8>> {
    let users = load("identity.json")["users"].clone();
    let users = users.as_object().unwrap().values().map(|user| identity_of(user).bytes().to_vec());
    let blocks = entries.iter().map(|entry| bytes(entry, "bytes")).chain(users);
    blocks.map(|block| (Hash::of(&block), block)).collect()
}

/// Checks a log of JavaScript against what JavaScript says of it.
pub(crate) fn same(log: &JavaScriptLog, json: &Json, label: &str) {
    assert_eq!(strings(&log.heads()), hashes(&json["heads"]), "{label}");
    assert_eq!(strings(&log.traverse()), hashes(&json["traversal_newest_first"]), "{label}");
    let stored: Json = serde_json::from_str(text(json, "heads_storage")).unwrap();
    let rows = stored.as_array().unwrap().iter().map(|head| text(head, "hash").to_owned());
    assert_eq!(strings(log.stored_heads()), rows.collect::<Vec<_>>(), "{label}");
}

/// The logs of JavaScript's replicas after the steps of a scenario, each of which is checked.
pub(crate) fn replay<'j>(scenario: &'j Json, label: &str) -> BTreeMap<&'j str, JavaScriptLog> {
    let address = database(&scenario["db"]);
    let blocks = blocks(filled(scenario, "entries"));
    let mut logs = BTreeMap::new();
    for step in filled(scenario, "steps") {
        let log = JavaScriptLog::new(address, AccessList::new(["*"]));
        let log = logs.entry(text(step, "replica")).or_insert(log);
        let mut join = |hash: &str| log.join(&blocks[&hash.parse().unwrap()], |hash| blocks.get(hash).cloned());
        match text(step, "do") {
            // an entry that follows all heads leaves the same behind whether it is written or joined
            "append" => assert_eq!(join(text(step, "hash")), Ok(true), "{label}"),
            "join" => {
                let joined = hashes(&step["entries"]).iter().map(|hash| join(hash).unwrap()).collect::<Vec<_>>();
                assert_eq!(Json::from(joined), step["added"], "{label}");
            }
            other => panic!("the step {other} is unknown"),
        }
        assert_eq!(strings(&log.heads()), hashes(&step["heads_after"]), "{label}");
    }
    logs
}
