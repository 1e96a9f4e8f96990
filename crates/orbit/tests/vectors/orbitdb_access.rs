use crate::{
    block,
    documents::{entry, strings},
    filled, hashes, identity_of, load,
    manifest::database,
    text,
};
use debros_core::Value;
use debros_orbit::{AccessList, Capabilities, Documents, Entry, Hash, Log, Payload};
use std::collections::HashMap;

fn capabilities(access: &Log, founders: &AccessList) -> Capabilities {
    let state = Documents::of(access);
    let rows = state.rows().iter().map(|row| (row.key.as_text().unwrap(), &row.value));
    Capabilities::new(rows, founders.write.iter().map(String::as_str))
}

#[test]
fn access_databases() {
    let json = load("orbitdb_access.json");
    let users = load("identity.json")["users"].clone();
    let admin = identity_of(&users["A"]);
    let address = database(&json["access_database"]);
    let founders = &json["access_database"]["access_controller"]["block"];
    let founders = AccessList::decode(&block(founders)).unwrap();
    assert_eq!(text(&json["db"]["access_controller"], "address"), address.to_string());
    let entries: HashMap<Hash, Entry> = filled(&json, "access_entries")
        .iter()
        .map(|json| entry(json, admin.block()))
        .map(|entry| (entry.hash(), entry))
        .collect();
    let first = entry(&json["first_entry"], admin.block());
    assert_eq!(first.log().to_string(), text(&json["db"], "address"));

    let mut log = Log::new(address);
    for step in filled(&json, "steps") {
        let what = text(step, "what");
        // `grant write B`: what is written follows from the row as it was
        let words: Vec<&str> = what.split(' ').collect();
        if let [change @ ("grant" | "revoke"), capability, user, ..] = words[..] {
            let id = text(&json["users"], user);
            let state = Documents::of(&log);
            let row = state.get(&capability.into()).map(|row| &row.value);
            let row = match change {
                "grant" => Some(Capabilities::grant(row, id)),
                _ => Capabilities::revoke(row, id),
            };
            let key = Value::from(capability);
            let payload = row.map_or_else(|| Payload::del(key.clone()), |row| Payload::put(key.clone(), row));
            let hash = log.append(&admin, payload.into_value(), 16).unwrap();
            assert_eq!(log.get(&hash), entries.get(&hash), "{what}");
        } else {
            assert_eq!(what, "fresh");
        }
        let traversal: Vec<Hash> = log.traverse().map(Entry::hash).collect();
        assert_eq!(strings(&traversal), hashes(&step["ac_log_newest_first"]), "{what}");

        let capabilities = capabilities(&log, &founders);
        let expected = step["capabilities"].as_object().unwrap();
        assert_eq!(capabilities.names().count(), expected.len(), "{what}");
        for (name, holders) in expected {
            assert!(capabilities.holders(name).eq(hashes(holders)), "{what}");
        }
        for (user, may) in step["can_append"].as_object().unwrap() {
            let id = text(&json["users"], user);
            assert_eq!(capabilities.allows_write(id), may.as_bool().unwrap(), "{what}: {user}");
        }
    }
    assert_eq!(log.len(), entries.len());
}
