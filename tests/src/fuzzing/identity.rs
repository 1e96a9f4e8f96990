//! Identities.

use super::vectors::bytes_in;
use debros_orbit::{Hash, IdentityBlock, decode_as_javascript};

pub(super) fn corpus() -> Vec<Vec<u8>> {
    bytes_in(&["identity.json", "acceptance.json"])
}

/// An identity that is read is the same to the last byte when it is written again: its hash is what entries name.
pub(super) fn check(bytes: &[u8]) {
    let Ok(identity) = IdentityBlock::decode(bytes) else { return };
    assert_eq!(identity.to_bytes(), bytes);
    assert_eq!(identity.hash(), Hash::of(bytes));
    assert!(decode_as_javascript(bytes).is_ok());
    let _ = identity.verify();
}
