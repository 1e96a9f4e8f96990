//! Entries.

use super::vectors::bytes_in;
use debros_core::Value;
use debros_orbit::{
    Encryption, Entry, Hash, JavaScriptEntry, Limits, MAX_LINKS, Payload, Received, decode_as_javascript,
};

pub(super) fn corpus() -> Vec<Vec<u8>> {
    bytes_in(&["acceptance.json", "events.json", "documents.json", "skew.json", "encrypted.json"])
}

/// An entry that is accepted is the same to the last byte when it is written again, JavaScript reads the same in it, and
/// what looks at blocks that are not accepted sees the same links in it.
pub(super) fn check(bytes: &[u8]) {
    let links = Entry::links_of(bytes);
    assert!(links.next.len() + links.refs.len() <= MAX_LINKS);
    let received = Received::read(bytes, &Limits::default(), &Encryption::default());
    assert_eq!(received.hash(), Hash::of(bytes));
    let Ok(entry) = Entry::decode(bytes) else {
        assert!(received.refusal().is_some(), "what does not decode is refused");
        return;
    };
    assert_eq!((entry.bytes(), entry.block(), entry.hash()), (bytes, bytes, Hash::of(bytes)));
    assert_eq!((&*links.next, &*links.refs), (entry.next(), entry.refs()));
    let value = Value::from_dag_cbor(bytes).expect("it is canonical");
    assert_eq!(value.to_dag_cbor().expect("it was read"), bytes);
    assert_eq!(decode_as_javascript(bytes).as_ref(), Ok(&value));
    let theirs = JavaScriptEntry::decode(bytes).expect("JavaScript reads it");
    assert_eq!((theirs.next(), theirs.refs(), theirs.hash()), (entry.next(), entry.refs(), entry.hash()));
    assert_eq!(theirs.field("payload"), entry.payload());
    if entry.verify_signature().is_ok() {
        assert_eq!(theirs.verify(), Ok(()), "JavaScript takes the signature");
    } else {
        assert!(received.refusal().is_some(), "what is forged is refused");
    }
    if let Some(payload) = Payload::from_value(entry.payload().clone()) {
        let again = Payload::from_value(payload.clone().into_value());
        assert_eq!(again, Some(payload));
    }
}
