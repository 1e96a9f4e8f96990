//! Access lists.

use super::vectors::bytes_in;
use debros_orbit::{AccessAddress, AccessList, Hash, decode_as_javascript};

pub(super) fn corpus() -> Vec<Vec<u8>> {
    bytes_in(&["manifest.json", "orbitdb_access.json", "acceptance.json"])
}

/// A list that is read is the same to the last byte when it is written again, and allows those on it.
pub(super) fn check(bytes: &[u8]) {
    let Ok(list) = AccessList::decode(bytes) else { return };
    assert_eq!(list.to_bytes(), bytes);
    assert_eq!(list.address(), AccessAddress::Ipfs(Hash::of(bytes)));
    assert!(decode_as_javascript(bytes).is_ok());
    assert!(list.write.iter().all(|user| list.allows(user)));
}
