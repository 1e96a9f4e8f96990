//! DAG-CBOR, as JavaScript reads it and as we do.

use super::vectors::bytes_in;
use debros_core::Value;
use debros_orbit::{Hash, JavaScriptEntry, decode_as_javascript};

pub(super) fn corpus() -> Vec<Vec<u8>> {
    bytes_in(&["dagcbor.json", "signatures.json", "acceptance.json", "ties.json"])
}

/// What we read, JavaScript reads as the same; what it reads can be written, and is then read by everyone.
pub(super) fn check(bytes: &[u8]) {
    let theirs = decode_as_javascript(bytes);
    if let Ok(ours) = Value::from_dag_cbor(bytes) {
        assert_eq!(ours.to_dag_cbor().expect("it was read"), bytes, "what is read is canonical");
        // it looks into fewer levels than the reader of values does
        if theirs.is_ok() {
            assert_eq!(theirs.as_ref(), Ok(&ours));
        }
    }
    if let Ok(theirs) = theirs {
        let written = theirs.to_dag_cbor().expect("JavaScript writes what it reads");
        assert_eq!(Value::from_dag_cbor(&written).ok().as_ref(), Some(&theirs));
        assert_eq!(decode_as_javascript(&written), Ok(theirs));
    }
    if let Ok(entry) = JavaScriptEntry::decode(bytes) {
        assert_eq!(entry.hash(), Hash::of(bytes));
        let _ = entry.verify();
    }
}
