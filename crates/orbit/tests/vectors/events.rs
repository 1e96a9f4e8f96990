use crate::{
    documents::{entry, strings},
    filled, hashes, identity_of, load,
    manifest::database,
    tagged::untag,
    text,
};
use debros_orbit::{Event, EventRange, Events, Hash, Log, Payload, UnknownBound};
use serde_json::Value as Json;

pub(crate) fn range(filter: &Json) -> EventRange {
    let mut range = EventRange::all();
    for (name, value) in filter.as_object().unwrap() {
        let bound = || value.as_str().unwrap().parse().unwrap();
        range = match name.as_str() {
            "gt" => range.gt(bound()),
            "gte" => range.gte(bound()),
            "lt" => range.lt(bound()),
            "lte" => range.lte(bound()),
            "amount" => range.amount(value.as_u64().unwrap().try_into().unwrap()),
            _ => panic!("the bound {name} is unknown"),
        };
    }
    range
}

#[test]
fn events_databases() {
    let json = load("events.json");
    let writer = identity_of(&json["writer"]);
    let mut log = Log::new(database(&json["db"]));
    let (ops, entries) = (filled(&json, "ops"), filled(&json, "entries"));
    assert_eq!(ops.len(), entries.len());
    for (op, json) in ops.iter().zip(entries) {
        let expected = entry(json, writer.block());
        assert_eq!(text(op, "op"), "add");
        let hash = log.append(&writer, Payload::add(untag(&op["value"])).into_value(), 16).unwrap();
        assert_eq!(log.get(&hash), Some(&expected));
        assert_eq!(hash.to_string(), text(op, "hash"));
    }

    let end = &json["final"];
    let events = Events::of(&log);
    assert_eq!(strings(log.heads()), hashes(&end["heads"]));
    let all = filled(end, "all").iter();
    let all: Vec<Event> =
        all.map(|event| Event { hash: text(event, "hash").parse().unwrap(), value: untag(&event["value"]) }).collect();
    assert_eq!(events.all(), all);
    for event in &all {
        assert_eq!(events.get(&event.hash).as_ref(), Some(event));
    }
    for case in filled(end, "iterators") {
        let filter = &case["filter"];
        let found: Vec<Event> = events.read(&range(filter)).unwrap().collect();
        let found_hashes: Vec<Hash> = found.iter().map(|event| event.hash).collect();
        assert_eq!(strings(&found_hashes), hashes(&case["result"]), "{filter}");
        assert!(found.iter().all(|event| all.contains(event)), "{filter}");
    }

    let elsewhere = Hash::of(b"an entry of another log");
    let unknown = |range: EventRange| events.read(&range).err();
    assert_eq!(unknown(EventRange::all().gt(elsewhere)), Some(UnknownBound(elsewhere)));
    assert_eq!(unknown(EventRange::all().lt(elsewhere)), Some(UnknownBound(elsewhere)));
}

/// With a newer bound, what others wrote at the same time is left out.
#[test]
fn only_what_the_newer_bound_builds_on_is_read() {
    let json = load("dag.json");
    let scenario = &filled(&json, "scenarios")[0];
    let writers = load("identity.json")["users"].clone();
    let (a, b) = (identity_of(&writers["A"]), identity_of(&writers["B"]));
    let address = database(&scenario["db"]);
    let (mut left, mut right) = (Log::new(address), Log::new(address));
    let add = |text: &str| Payload::add(text.into()).into_value();
    let one = left.append(&a, add("one"), 16).unwrap();
    right.join(left.get(&one).unwrap().clone()).unwrap();
    let two = left.append(&a, add("two"), 16).unwrap();
    let other = right.append(&b, add("other"), 16).unwrap();
    left.join(right.get(&other).unwrap().clone()).unwrap();
    let three = left.append(&a, add("three"), 16).unwrap();

    let events = Events::of(&left);
    let read = |range: EventRange| events.read(&range).unwrap().map(|event| event.hash).collect::<Vec<_>>();
    assert_eq!(read(EventRange::all()).len(), 4);
    assert_eq!(read(EventRange::all().lte(two)), [two, one]);
    assert_eq!(read(EventRange::all().lt(other)), [one]);
    assert_eq!(read(EventRange::all().lt(three)).len(), 3);
    // a bound that is never met ends nothing
    assert_eq!(read(EventRange::all().lte(two).gt(other)), [two, one]);
}
