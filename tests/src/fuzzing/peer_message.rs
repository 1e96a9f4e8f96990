//! What nodes of our kind say to each other.

use debros_orbit::fuzzing::peer_message;

/// A CBOR array of these items, which are CBOR themselves.
fn array(items: &[Vec<u8>]) -> Vec<u8> {
    let head = 0x80 | u8::try_from(items.len()).expect("a short list");
    std::iter::once(head).chain(items.iter().flatten().copied()).collect()
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&[0x58, u8::try_from(bytes.len()).expect("few bytes")][..], bytes].concat()
}

/// A message of each kind.
pub(super) fn corpus() -> Vec<Vec<u8>> {
    let hashes = array(&[bytes(&[1; 32]), bytes(&[2; 32])]);
    let clocks = array(&[bytes(&[3; 32]), vec![0x19, 0x03, 0xe8], bytes(&[4; 32]), vec![7]]);
    let blocks = array(&[bytes(b"a block that is no entry, and as long"), bytes(&[0xa0; 90])]);
    vec![
        array(&[vec![1], hashes.clone()]),
        array(&[vec![2], hashes.clone(), clocks, vec![1]]),
        array(&[vec![3], blocks.clone(), blocks]),
        array(&[vec![4]]),
        array(&[vec![5], hashes, vec![0]]),
        array(&[vec![6]]),
        array(&[vec![7]]),
    ]
}

/// What is understood is understood in the same way when it is repeated.
pub(super) fn check(bytes: &[u8]) {
    let Some(repeated) = peer_message(bytes) else { return };
    assert_eq!(peer_message(&repeated).as_ref(), Some(&repeated));
}

#[test]
fn the_corpus_is_of_messages() {
    for message in corpus() {
        assert_eq!(peer_message(&message), Some(message));
    }
}
