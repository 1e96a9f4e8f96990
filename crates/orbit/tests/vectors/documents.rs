use crate::{bytes, filled, hashes, identity_of, list, load, manifest::database, tagged::untag, text};
use debros_core::Value;
use debros_orbit::{Documents, Entry, Hash, Identity, IdentityBlock, Log, Payload};
use serde_json::Value as Json;

/// Checks an entry of the vectors.
pub(crate) fn entry(json: &Json, writer: &IdentityBlock) -> Entry {
    let bytes = bytes(json, "bytes");
    let entry = Entry::decode(&bytes).unwrap();
    assert_eq!(entry.bytes(), bytes);
    assert_eq!(entry.hash().to_string(), text(json, "hash"));
    assert_eq!(entry.hash().cid().to_string(), text(json, "cid"));
    assert_eq!(json["v"], 2);
    assert_eq!(entry.log().to_string(), text(json, "id"));
    assert_eq!(entry.key().to_string(), text(json, "key"));
    assert_eq!(entry.identity().to_string(), text(json, "identity"));
    assert_eq!(entry.clock().id.to_string(), text(&json["clock"], "id"));
    assert_eq!(entry.clock().time, json["clock"]["time"].as_u64().unwrap());
    assert_eq!(strings(entry.next()), hashes(&json["next"]));
    assert_eq!(strings(entry.refs()), hashes(&json["refs"]));
    assert_eq!(entry.signature(), text(json, "sig"));
    assert_eq!(*entry.payload(), untag(&json["payload"]));
    assert_eq!(hex::encode(entry.payload().to_dag_cbor().unwrap()), text(json, "payload_bytes"));
    assert_eq!(hex::encode(entry.signed_bytes()), text(json, "signed_bytes"));
    entry.verify(writer).unwrap();
    // the whole entry again, as it lies in its block
    assert_eq!(Value::from_dag_cbor(&bytes).unwrap().to_dag_cbor().unwrap(), bytes);
    entry
}

pub(crate) fn strings(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}

fn payload(op: &Json, index_by: &str) -> Payload {
    match text(op, "op") {
        "put" => Documents::put(untag(&op["doc"]), index_by).unwrap(),
        "del" => Payload::del(untag(&op["key"])),
        other => panic!("the operation {other} is unknown"),
    }
}

fn errors(scenario: &Json, writer: &Identity, log: &mut Log, index_by: &str) {
    let with = |field: &str, value: Value| {
        let field = field.to_owned();
        Value::Map([("x".to_owned(), Value::from(1)), (field, value)].into_iter().collect())
    };
    let before = log.heads().to_vec();
    for case in filled(scenario, "errors") {
        let name = text(case, "name");
        assert!(text(case, "result").starts_with("error:"), "{name}");
        match name {
            "put without the index field" => assert!(Documents::put(with("y", 1.into()), index_by).is_err()),
            "put with index field \"\"" => assert!(Documents::put(with(index_by, "".into()), index_by).is_err()),
            "put with index field 0" => assert!(Documents::put(with(index_by, 0.into()), index_by).is_err()),
            "del of a missing key" => assert!(Documents::of(log).del("nope".into()).is_err()),
            "put with NaN inside" => {
                let mut record = with(index_by, "k".into());
                let Value::Map(fields) = &mut record else { unreachable!() };
                fields.insert("nan", f64::NAN);
                let payload = Documents::put(record, index_by).unwrap().into_value();
                assert!(log.append(writer, payload, 16).is_err());
            }
            // no value of ours is `undefined`
            "put with undefined inside" => {}
            _ => panic!("the case {name} is unknown"),
        }
    }
    assert_eq!(log.heads(), before, "nothing was written");
}

#[test]
fn documents_databases() {
    for scenario in filled(&load("documents.json"), "scenarios") {
        let (label, index_by) = (text(scenario, "label"), text(scenario, "index_by"));
        let writer = identity_of(&scenario["writer"]);
        let mut log = Log::new(database(&scenario["db"]));
        let (ops, entries) = (filled(scenario, "ops"), filled(scenario, "entries"));
        assert_eq!(ops.len(), entries.len(), "{label}");
        for (op, json) in ops.iter().zip(entries) {
            let expected = entry(json, writer.block());
            let hash = log.append(&writer, payload(op, index_by).into_value(), 16).unwrap();
            assert_eq!(log.get(&hash), Some(&expected), "{label}");
            assert_eq!(hash.to_string(), text(op, "hash"), "{label}");
        }
        let state = Documents::of(&log);
        if let Some(found) = scenario.get("final") {
            assert_eq!(strings(log.heads()), hashes(&found["heads"]), "{label}");
            let rows = state.rows().iter().rev().map(|row| (row.hash.to_string(), row.key.clone(), row.value.clone()));
            let all = filled(found, "all");
            let all = all.iter().map(|row| (text(row, "hash").to_owned(), untag(&row["key"]), untag(&row["value"])));
            assert!(rows.eq(all), "{label}");
            let over_50 = state.rows().iter().map(|row| &row.value);
            let n = |value: &Value| value.as_map().and_then(|fields| fields.field("n").as_int());
            let over_50 = over_50.filter(|value| n(value).is_some_and(|n| n > 50)).cloned();
            assert!(over_50.eq(list(found, "query_n_over_50").iter().map(untag)), "{label}");
            errors(scenario, &writer, &mut log, index_by);
        } else {
            let number = scenario["get_number_42_found"].as_bool().unwrap();
            let string = scenario["get_string_42_found"].as_bool().unwrap();
            assert_eq!(state.get(&Value::from(42)).is_some(), number, "{label}");
            assert_eq!(state.get(&Value::from("42")).is_some(), string, "{label}");
        }
    }
}
