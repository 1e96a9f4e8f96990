use crate::{bytes, filled, identity_of, load, text};
use debros_orbit::{Hash, IdentityBlock, IdentityError};

#[test]
fn identities_are_made_of_two_keys() {
    let users = load("identity.json")["users"].clone();
    let users = users.as_object().unwrap();
    assert!(!users.is_empty());
    for user in users.values() {
        let identity = identity_of(user);
        assert_eq!(IdentityBlock::decode(identity.bytes()).unwrap(), *identity.block());
    }
}

#[test]
fn broken_identities_are_refused() {
    for case in filled(&load("identity.json"), "identity_cases") {
        let (name, bytes, fields) = (text(case, "name"), bytes(case, "bytes"), &case["fields"]);
        assert_eq!(Hash::of(&bytes).to_string(), text(case, "hash"), "{name}");
        assert_eq!(Hash::of(&bytes).cid().to_string(), text(case, "cid"), "{name}");
        let value = crate::untag(fields);
        assert_eq!(value.to_dag_cbor().unwrap(), bytes, "{name}");
        match case["js_verify"].as_bool() {
            Some(verdict) => {
                let block = IdentityBlock::decode(&bytes).unwrap();
                assert_eq!(block.id.to_string(), text(fields, "id"), "{name}");
                assert_eq!(block.public_key.to_string(), text(fields, "publicKey"), "{name}");
                assert_eq!(block.to_bytes(), bytes, "{name}");
                assert_eq!(block.verify().is_ok(), verdict, "{name}");
            }
            None => {
                assert!(text(case, "js_verify").starts_with("error:"), "{name}");
                let kind = text(fields, "type").to_owned();
                assert_eq!(IdentityBlock::decode(&bytes), Err(IdentityError::Type(kind)), "{name}");
            }
        }
    }
}
