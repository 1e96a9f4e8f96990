//! What is published on the pubsub of Kubo daemons.

use debros_orbit::{Address, Announcement, Hash, Hint};

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let hash = |n: u8| Hash::of(&[n]);
    let heads = |n: u8| -> Vec<Hash> { (0..n).map(hash).collect() };
    let hint = |n: u8| Hint {
        database: Address::of(hash(n)),
        apart: n.is_multiple_of(2),
        entries: u64::from(n) << 20,
        heads: heads(n),
        // some name all heads, and some do not
        state: Hint::state_of(&heads(n + n % 2)),
        roots: (0..n / 2).map(hash).collect(),
    };
    let announcement = |hints: u8| Announcement {
        by: "00ff".repeat(hints.into()),
        addresses: vec!["/ip4/127.0.0.1/tcp/4001/p2p/12D3KooW".to_owned(); hints.into()],
        hints: (0..hints).map(hint).collect(),
    };
    (0..8).map(|hints| announcement(hints).encode()).collect()
}

/// One that is read is within its bounds, and reads the same when it is written again.
pub(super) fn check(bytes: &[u8]) {
    let Some(announcement) = Announcement::decode(bytes) else { return };
    assert!(bytes.len() <= Announcement::MAX_BYTES && announcement.hints.len() <= Announcement::MAX_HINTS);
    for hint in &announcement.hints {
        assert!(hint.heads.len() <= Announcement::MAX_HEADS && hint.roots.len() <= Announcement::MAX_ROOTS);
    }
    let again = Announcement::decode(&announcement.encode()).expect("what was read can be read again");
    assert_eq!(again, announcement);
}
