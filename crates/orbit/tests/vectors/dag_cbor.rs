use crate::{bytes, filled, load, tagged::untag, text};
use debros_core::Value;
use debros_orbit::{Hash, decode_as_javascript};

#[test]
fn encode() {
    for case in filled(&load("dagcbor.json"), "encode") {
        let (name, bytes, value) = (text(case, "name"), bytes(case, "bytes"), untag(&case["value"]));
        assert_eq!(value.to_dag_cbor().unwrap(), bytes, "{name}");
        assert_eq!(Value::from_dag_cbor(&bytes).unwrap(), value, "{name}");
        let hash = Hash::of(&bytes);
        assert_eq!(hash.to_string(), text(case, "hash"), "{name}");
        assert_eq!(hash.cid().to_string(), text(case, "cid"), "{name}");
        assert_eq!(debros_core::cid_of(&bytes), hash.cid(), "{name}");
    }
}

#[test]
fn what_javascript_refuses_to_encode() {
    for case in filled(&load("dagcbor.json"), "encode_rejected") {
        let name = text(case, "name");
        assert!(text(case, "js_result").starts_with("error:"), "{name}");
        let ours = match name {
            "NaN" => Value::from(f64::NAN),
            "Infinity" => Value::from(f64::INFINITY),
            "bigint too large" => Value::Int(1 << 64),
            // no value of ours can be these
            "undefined" | "undefined in map" | "undefined in array" | "Date" | "function" | "symbol"
            | "Map with empty key" => continue,
            _ => panic!("the case {name} is unknown"),
        };
        assert!(ours.to_dag_cbor().is_err(), "{name}");
    }
}

#[test]
fn decode() {
    for case in filled(&load("dagcbor.json"), "decode") {
        let (name, bytes) = (text(case, "name"), bytes(case, "bytes"));
        let ours = Value::from_dag_cbor(&bytes);
        let decodes = case["js_decodes"].as_bool().unwrap();
        // what JavaScript decodes but writes otherwise is not taken: its hash and signature would not last
        let lasts = decodes && case["stable"].as_bool().unwrap();
        assert_eq!(ours.is_ok(), lasts, "{name}: {ours:?}");
        if decodes {
            // JavaScript loses a key `__proto__`; the value is what it is left with
            let value = untag(&case["value"]);
            assert_eq!(hex::encode(value.to_dag_cbor().unwrap()), text(case, "reencoded"), "{name}");
            assert_eq!(text(case, "reencoded") == text(case, "bytes"), lasts, "{name}");
            assert_eq!(decode_as_javascript(&bytes), Ok(value), "{name}");
        } else {
            assert!(decode_as_javascript(&bytes).is_err(), "{name}");
        }
        if lasts {
            assert_eq!(ours.unwrap(), untag(&case["value"]), "{name}");
        }
    }
}
