//! The formats, byte for byte, on the vectors that JavaScript's `@orbitdb/core` 4.0.0 made.
//!
//! `ORBITDB_VECTORS=DIR` checks another set of the same shape, made with another seed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod acceptance;
mod closed;
mod dag;
mod dag_cbor;
mod documents;
mod encrypted;
mod events;
mod identity;
mod javascript;
mod keyvalue;
mod manifest;
mod node;
mod on_disk;
mod orbitdb_access;
mod references;
mod signatures;
mod skew;
mod tagged;
mod ties;

use debros_core::Value;
use debros_orbit::{Hash, Identity, SigningKey};
use serde_json::Value as Json;
use std::{fs, path::PathBuf};
use tagged::untag;

/// One file of vectors.
fn load(file: &str) -> Json {
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"));
    let path = std::env::var_os("ORBITDB_VECTORS").map_or_else(own, PathBuf::from).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn text<'j>(json: &'j Json, field: &str) -> &'j str {
    json[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {json}"))
}
fn list<'j>(json: &'j Json, field: &str) -> &'j [Json] {
    match &json[field] {
        Json::Array(list) => list,
        _ => panic!("no list `{field}` in {json}"),
    }
}
/// A list that the vectors have something in.
fn filled<'j>(json: &'j Json, field: &str) -> &'j [Json] {
    let list = list(json, field);
    assert!(!list.is_empty(), "`{field}` is empty");
    list
}
fn bytes(json: &Json, field: &str) -> Vec<u8> {
    hex::decode(text(json, field)).unwrap()
}
fn key(json: &Json, field: &str) -> SigningKey {
    SigningKey::from_bytes(&bytes(json, field).try_into().unwrap()).unwrap()
}
fn hashes(json: &Json) -> Vec<String> {
    json.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
}

/// Checks a user of the vectors, whose identity is made again of the two private keys.
fn identity_of(user: &Json) -> Identity {
    let (root, device) = (key(user, "root_private_key"), key(user, "signing_private_key"));
    let id = root.public_key().to_string();
    let rows = user["keystore"].as_object().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[&format!("private_{}", text(user, "user"))], hex::encode(*root.to_bytes()));
    assert_eq!(rows[&format!("private_{id}")], hex::encode(*device.to_bytes()));

    let identity = Identity::new(&root, device);
    let fields = &user["identity"];
    assert_eq!(identity.id(), text(fields, "id"));
    assert_eq!(identity.public_key(), text(fields, "publicKey"));
    assert_eq!(identity.block().id_signature, text(&fields["signatures"], "id"));
    assert_eq!(identity.block().key_signature, text(&fields["signatures"], "publicKey"));
    assert_eq!(text(fields, "type"), "publickey");
    assert_eq!(identity.bytes(), bytes(user, "bytes"));
    assert_eq!(identity.hash().to_string(), text(user, "hash"));
    assert_eq!(identity.hash().cid().to_string(), text(user, "cid"));
    assert_eq!(identity.block().verify().is_ok(), user["js_verify"].as_bool().unwrap());
    assert_eq!(text(user, "signed_for_id"), identity.id());
    let certified = format!("{}{}", identity.public_key(), identity.block().id_signature);
    assert_eq!(text(user, "signed_for_publicKey"), certified);
    identity
}

/// Checks a block of the vectors against its own hash and value, and gives its bytes.
fn block(json: &Json) -> Vec<u8> {
    let bytes = bytes(json, "bytes");
    let hash = Hash::of(&bytes);
    assert_eq!(hash.to_string(), text(json, "hash"));
    assert_eq!(hash.cid().to_string(), text(json, "cid"));
    assert_eq!(hash.to_string().parse(), Ok(hash));
    let value: Value = untag(&json["value"]);
    assert_eq!(value.to_dag_cbor().unwrap(), bytes);
    assert_eq!(Value::from_dag_cbor(&bytes).unwrap(), value);
    bytes
}
