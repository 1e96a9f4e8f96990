use crate::{bytes, documents::strings, filled, identity_of, load, manifest::database, text};
use debros_orbit::{AccessList, Address, Entry, Hash, IdentityBlock};

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

/// What JavaScript accepts and we do not: the holes of its checks.
const CLOSED: [&str; 12] = [
    "B's identity hash, but key and signature are mallory's",
    "B's identity hash, B's clock id, but key and signature are mallory's",
    "A's identity hash on B's key and signature",
    "v = 1, signed",
    "extra unsigned field",
    "clock.id is another key",
    "clock.time huge",
    "clock.time negative",
    "clock.time fraction",
    "clock.time a string",
    "valid content, non-canonical map order",
    "float32 in payload, signature over the canonical float64 bytes",
];

#[test]
fn hostile_entries_are_judged_at_least_as_strictly_as_by_javascript() {
    let json = load("acceptance.json");
    let log = database(&json["db"]);
    let access = AccessList::decode(&bytes(&json["db"]["access_controller"]["block"], "bytes")).unwrap();
    let writers = json["writers"].as_object().unwrap().values().chain([&json["mallory"]]);
    let identities: Vec<IdentityBlock> = writers.map(|user| identity_of(user).block().clone()).collect();
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
