//! The heads that a peer sends.

use super::vectors::bytes_in;
use debros_core::Value;
use debros_orbit::HeadsExchange;

pub(super) fn corpus() -> Vec<Vec<u8>> {
    let entries = bytes_in(&["acceptance.json", "skew.json"]);
    let streams = entries.chunks(3).take(60).map(|some| some.concat()).collect::<Vec<_>>();
    [streams, bytes_in(&["dagcbor.json"])].concat()
}

/// Heads lie one behind the other from the beginning of the stream, whatever the pieces were, and whatever is one block for
/// us is one head.
pub(super) fn check(bytes: &[u8]) {
    let split = |piece: usize| {
        let mut exchange = HeadsExchange::default();
        bytes.chunks(piece.max(1)).for_each(|piece| exchange.read(piece).expect("it is short"));
        let heads: Vec<_> = exchange.heads().map(|head| head.map(<[u8]>::to_vec)).collect();
        heads
    };
    let heads = split(bytes.len());
    assert_eq!(split(1 + bytes.len() % 7), heads);
    let good: Vec<&Vec<u8>> = heads.iter().map_while(|head| head.as_ref().ok()).collect();
    assert!(good.len() + 1 >= heads.len(), "an error is the last");
    assert!(bytes.starts_with(&good.iter().flat_map(|head| head.iter().copied()).collect::<Vec<_>>()));
    let taken: usize = good.iter().map(|head| head.len()).sum();
    assert_eq!(good.len() == heads.len(), taken == bytes.len());
    if Value::from_dag_cbor(bytes).is_ok() {
        assert_eq!((good.len(), taken), (1, bytes.len()), "a block is one head");
    }
}
