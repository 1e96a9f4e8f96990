use crate::{bytes, documents::strings, filled, hashes, identity_of, load, text};
use debros_orbit::{Log, Payload};

#[test]
fn any_number_of_references() {
    let json = load("references.json");
    let writer = identity_of(&json["writer"]);
    for set in filled(&json, "sets") {
        let count = usize::try_from(set["effective"].as_u64().unwrap()).unwrap();
        let mut log = Log::new(text(set, "address").parse().unwrap());
        for (n, json) in filled(set, "entries").iter().enumerate() {
            let payload = Payload::add((n as u64).into()).into_value();
            let hash = log.append(&writer, payload, count).unwrap();
            let entry = log.get(&hash).unwrap();
            assert_eq!(hash.to_string(), text(json, "hash"), "{count}");
            assert_eq!(entry.bytes(), bytes(json, "bytes"), "{count}");
            assert_eq!(entry.clock().time, json["clock_time"].as_u64().unwrap(), "{count}");
            assert_eq!(strings(entry.next()), hashes(&json["next"]), "{count}");
            assert_eq!(strings(entry.refs()), hashes(&json["refs"]), "{count}");
        }
    }
}
