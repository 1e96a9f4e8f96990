use crate::{bytes, closed::CLOSED, documents::strings, filled, hashes, identity_of, load, manifest::database, text};
use debros_orbit::{AccessList, Address, Entry, Hash, IdentityBlock, JavaScriptEntry, JavaScriptError, JavaScriptLog};
use serde_json::Value as Json;

fn identities(json: &Json) -> Vec<IdentityBlock> {
    let writers = json["writers"].as_object().unwrap().values().chain([&json["mallory"]]);
    writers.map(|user| identity_of(user).block().clone()).collect()
}

/// Is this entry one that we accept into the log?
fn accepts(bytes: &[u8], log: Address, access: &AccessList, identities: &[IdentityBlock]) -> bool {
    let judge = || {
        let entry = Entry::decode(bytes).ok()?;
        let identity = identities.iter().find(|identity| identity.hash() == entry.identity())?;
        identity.verify().ok()?;
        entry.verify(identity).ok()?;
        (entry.log() == log && access.allows(&identity.id.to_string())).then_some(())
    };
    judge().is_some()
}

#[test]
fn hostile_entries_are_judged_at_least_as_strictly_as_by_javascript() {
    let json = load("acceptance.json");
    let log = database(&json["db"]);
    let access = AccessList::decode(&bytes(&json["db"]["access_controller"]["block"], "bytes")).unwrap();
    let identities = identities(&json);
    let mut closed = Vec::new();
    for case in filled(&json, "cases") {
        let (name, bytes) = (text(case, "name"), bytes(case, "bytes"));
        assert_eq!(strings(&[Hash::of(&bytes)]), [text(case, "hash")], "{name}");
        let theirs = text(case, "js") == "accepted";
        let ours = accepts(&bytes, log, &access, &identities);
        assert!(theirs || !ours, "{name}: JavaScript refuses it, and we do not");
        if theirs && !ours {
            closed.push(name.to_owned());
        }
    }
    // a time of 2^53 - 1 is one that a log can have reached; the jump to it is refused where the log is known
    assert_eq!(closed, CLOSED.into_iter().filter(|name| *name != "clock.time huge").collect::<Vec<_>>());
}

#[test]
fn hostile_entries_are_judged_by_a_javascript_log_as_by_javascript() {
    let json = load("acceptance.json");
    let address = database(&json["db"]);
    let access = AccessList::decode(&bytes(&json["db"]["access_controller"]["block"], "bytes")).unwrap();
    let identities = identities(&json);
    let block = |hash: &Hash| identities.iter().find(|block| block.hash() == *hash).map(IdentityBlock::to_bytes);
    for case in filled(&json, "cases") {
        let (name, bytes) = (text(case, "name"), bytes(case, "bytes"));
        let mut log = JavaScriptLog::new(address, access.clone());
        // JavaScript's verdict, with its reason
        let verdict = match log.join(&bytes, block) {
            Ok(true) => "accepted",
            Err(JavaScriptError::OtherLog { .. }) => "rejected: Entry's id",
            Err(JavaScriptError::Denied(_)) => "rejected: Could not append entry",
            Err(JavaScriptError::NoField { field: "key", .. }) => "rejected: Entry doesn't have a key",
            Err(JavaScriptError::NoField { field: "sig", .. }) => "rejected: Entry doesn't have a signature",
            Err(JavaScriptError::NoField { .. }) => "rejected: Invalid Log entry",
            Err(JavaScriptError::Signature(_)) => "rejected: Could not validate signature",
            other => panic!("{name}: {other:?}"),
        };
        assert!(text(case, "js").starts_with(verdict), "{name}: {verdict}");
        let accepted = text(case, "js") == "accepted";
        assert_eq!(accepted, verdict == "accepted", "{name}");
        assert_eq!(log.heads(), if accepted { vec![Hash::of(&bytes)] } else { Vec::new() }, "{name}");
        assert_eq!(log.traverse(), log.heads(), "{name}");
    }
}

/// An entry that is refused, and that JavaScript builds on, says what it builds on itself.
#[test]
fn links_of_refused_entries_are_found() {
    let json = load("acceptance.json");
    for case in filled(&json, "cases") {
        let block = bytes(case, "bytes");
        if text(case, "js") == "accepted" {
            let entry = JavaScriptEntry::decode(&block).unwrap();
            let links = Entry::links_of(&block);
            assert_eq!((&*links.next, &*links.refs), (entry.next(), entry.refs()), "{}", text(case, "name"));
        }
    }
    for file in ["dag.json", "skew.json"] {
        for scenario in filled(&load(file), "scenarios") {
            for json in filled(scenario, "entries") {
                let links = Entry::links_of(&bytes(json, "bytes"));
                assert_eq!(strings(&links.next), hashes(&json["next"]), "{file}");
                assert_eq!(strings(&links.refs), hashes(&json["refs"]), "{file}");
            }
        }
    }
}
