use crate::{
    documents::{entry, strings},
    filled, hashes, identity_of,
    javascript::{replay, same},
    list, load,
    manifest::database,
    tagged::untag,
    text,
};
use debros_orbit::{Entry, Hash, Identity, Log, Payload};
use serde_json::Value as Json;
use std::collections::HashMap;

/// Joins a head with whatever of its ancestors is not yet there, ancestors first.
fn join(log: &mut Log, head: Hash, entries: &HashMap<Hash, Entry>) -> bool {
    let mut todo = vec![head];
    let mut added = false;
    while let Some(&hash) = todo.last() {
        let missing = entries[&hash].next().iter().chain(entries[&hash].refs()).find(|h| log.get(h).is_none());
        match missing {
            Some(missing) => todo.push(*missing),
            None => {
                added = log.join(entries[&hash].clone()).unwrap();
                todo.pop();
            }
        }
    }
    added
}

/// The user of a replica, whose root key is in another file.
fn writer(user: &Json, replica: &Json) -> Identity {
    let identity = identity_of(user);
    assert_eq!(identity.id(), text(replica, "id"));
    assert_eq!(identity.public_key(), text(replica, "publicKey"));
    assert_eq!(identity.hash().to_string(), text(replica, "identity"));
    assert_eq!(text(user, "signing_private_key"), text(replica, "signing_private_key"));
    identity
}

#[test]
fn several_writers() {
    let users = load("identity.json")["users"].clone();
    for scenario in filled(&load("dag.json"), "scenarios") {
        let label = text(scenario, "label");
        let address = database(&scenario["db"]);
        let replicas = scenario["replicas"].as_object().unwrap();
        let writers: HashMap<&str, Identity> =
            replicas.iter().map(|(name, replica)| (name.as_str(), writer(&users[name], replica))).collect();
        let by_key = |key: &str| writers.values().find(|writer| writer.public_key() == key).unwrap();
        let entries: HashMap<Hash, Entry> = filled(scenario, "entries")
            .iter()
            .map(|json| entry(json, by_key(text(json, "key")).block()))
            .map(|entry| (entry.hash(), entry))
            .collect();
        let mut logs: HashMap<&str, Log> = replicas.keys().map(|name| (name.as_str(), Log::new(address))).collect();
        let references = if label == "random-3" { 4 } else { 16 };
        for step in filled(scenario, "steps") {
            let name = text(step, "replica");
            let log = logs.get_mut(name).unwrap();
            match text(step, "do") {
                "append" => {
                    let payload = Payload::add(untag(&step["value"])).into_value();
                    let hash = log.append(&writers[name], payload, references).unwrap();
                    assert_eq!(hash.to_string(), text(step, "hash"), "{label}");
                    assert_eq!(log.get(&hash), entries.get(&hash), "{label}");
                }
                "join" => {
                    let heads = list(step, "entries").iter().map(|hash| hash.as_str().unwrap().parse().unwrap());
                    let added: Vec<bool> = heads.map(|head| join(log, head, &entries)).collect();
                    let expected: Vec<bool> = list(step, "added").iter().map(|b| b.as_bool().unwrap()).collect();
                    assert_eq!(added, expected, "{label}");
                }
                other => panic!("the step {other} is unknown"),
            }
            assert_eq!(strings(log.heads()), hashes(&step["heads_after"]), "{label}");
        }
        // what an honest log looks like to JavaScript
        let theirs = replay(scenario, label);
        let ends = scenario["final"].as_object().unwrap();
        assert!(!ends.is_empty());
        for (name, end) in ends {
            let log = &logs[name.as_str()];
            assert_eq!(strings(log.heads()), hashes(&end["heads"]), "{label}");
            let traversal: Vec<_> = log.traverse().map(|entry| entry.hash().to_string()).collect();
            assert_eq!(traversal, hashes(&end["traversal_newest_first"]), "{label}");
            same(&theirs[name.as_str()], end, label);
            // the row that JavaScript keeps: the same heads, in the order of their arrival
            let stored: serde_json::Value = serde_json::from_str(text(end, "heads_storage")).unwrap();
            let mut kept = Vec::new();
            for head in stored.as_array().unwrap() {
                let hash: Hash = text(head, "hash").parse().unwrap();
                assert_eq!(strings(log.get(&hash).unwrap().next()), hashes(&head["next"]), "{label}");
                kept.push(hash);
            }
            kept.sort();
            let mut heads = log.heads().to_vec();
            heads.sort();
            assert_eq!(kept, heads, "{label}");
        }
    }
}
