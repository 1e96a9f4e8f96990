use crate::{
    documents::{entry, strings},
    filled, hashes, identity_of, load,
    manifest::database,
    tagged::untag,
    text,
};
use debros_core::Value;
use debros_orbit::{Documents, Log, Payload, Row};

/// A key that JavaScript puts and gets, and does not list: every object of its has something of that name.
const UNLISTED: &str = "constructor";

#[test]
fn keyvalue_databases() {
    let json = load("keyvalue.json");
    let writer = identity_of(&json["writer"]);
    let mut log = Log::new(database(&json["db"]));
    let (ops, entries) = (filled(&json, "ops"), filled(&json, "entries"));
    assert_eq!(ops.len(), entries.len());
    for (op, json) in ops.iter().zip(entries) {
        let expected = entry(json, writer.block());
        let payload = match text(op, "op") {
            "put" => Payload::put(untag(&op["key"]), untag(&op["value"])),
            "del" => Payload::del(untag(&op["key"])),
            other => panic!("the operation {other} is unknown"),
        };
        let hash = log.append(&writer, payload.into_value(), 16).unwrap();
        assert_eq!(log.get(&hash), Some(&expected));
        assert_eq!(hash.to_string(), text(op, "hash"));
    }

    let end = &json["final"];
    let state = Documents::of(&log);
    assert_eq!(strings(log.heads()), hashes(&end["heads"]));
    let listed = || state.rows().iter().filter(|row| row.key != Value::from(UNLISTED));
    let all: Vec<Row> = filled(end, "all")
        .iter()
        .map(|row| Row {
            hash: text(row, "hash").parse().unwrap(),
            key: untag(&row["key"]),
            value: untag(&row["value"]),
        })
        .collect();
    assert!(listed().rev().eq(&all));
    assert!(all.iter().any(|row| row.value.is_null()), "null that was put is listed");
    let newest = filled(end, "iterator_amount_3").iter().map(|row| (text(row, "hash").to_owned(), untag(&row["key"])));
    assert!(listed().take(3).map(|row| (row.hash.to_string(), row.key.clone())).eq(newest));
    for (key, value) in end["get"].as_object().unwrap() {
        let found = state.get(&Value::from(key.as_str())).map(|row| row.value.clone());
        let expected = if value.get("$undefined").is_some() { None } else { Some(untag(value)) };
        assert_eq!(found, expected, "{key}");
    }
    assert!(end["get"].get(UNLISTED).is_some() && state.get(&UNLISTED.into()).is_some());
}
