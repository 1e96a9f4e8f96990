use crate::{bytes, filled, key, load, text};
use debros_orbit::PublicKey;

#[test]
fn signatures_are_reproduced() {
    for case in filled(&load("signatures.json"), "signatures") {
        let name = text(case, "name");
        let (key, message) = (key(case, "private_key"), bytes(case, "message"));
        assert_eq!(key.public_key().to_string(), text(case, "public_key"), "{name}");
        assert_eq!(key.sign(&message), text(case, "signature"), "{name}");
        let verdict = key.public_key().verify(&message, text(case, "signature"));
        assert_eq!(verdict, case["js_verify"].as_bool().unwrap(), "{name}");
    }
}

#[test]
fn odd_signatures_are_judged_as_by_javascript() {
    for case in filled(&load("signatures.json"), "acceptance") {
        let key = text(case, "public_key").parse::<PublicKey>();
        let verdict = key.is_ok_and(|key| key.verify(&bytes(case, "message"), text(case, "signature")));
        assert_eq!(verdict, case["js_verify"].as_bool().unwrap(), "{}", text(case, "name"));
    }
}
