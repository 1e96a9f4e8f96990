//! Manifests.

use super::vectors::bytes_in;
use debros_orbit::{Address, Hash, Manifest, decode_as_javascript};

pub(super) fn corpus() -> Vec<Vec<u8>> {
    bytes_in(&["manifest.json", "orbitdb_access.json"])
}

/// A manifest that is read is the same to the last byte when it is written again: its hash is the address.
pub(super) fn check(bytes: &[u8]) {
    let Ok(manifest) = Manifest::decode(bytes) else { return };
    assert_eq!(manifest.to_bytes().expect("it was read"), bytes);
    assert_eq!(manifest.address().ok(), Some(Address::of(Hash::of(bytes))));
    assert!(decode_as_javascript(bytes).is_ok());
}
