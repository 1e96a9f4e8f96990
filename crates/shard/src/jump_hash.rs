//! Jump consistent hash: which of `count` shards a key belongs to.

use debros_core::{DagCborError, Value};
use sha2::{Digest as _, Sha256};

/// The shard of a key: jump hash of the first 8 bytes, big-endian, of SHA-256 of the key's DAG-CBOR.
///
/// When the count grows from n to m, a key either stays or moves to one of the new shards, and only `1 - n/m` of
/// them move. The algorithm is that of Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
///
/// # Errors
/// If the value has no DAG-CBOR form.
///
/// # Panics
/// If `count` is 0; the macro refuses that.
///
/// ```
/// use debros_core::Value;
/// use debros_shard::shard_of;
///
/// let shard = shard_of(&Value::from("alice"), 8).unwrap();
/// assert!(shard < 8);
/// assert_eq!(shard, shard_of(&Value::from("alice"), 8).unwrap());
/// ```
pub fn shard_of(key: &Value, count: u32) -> Result<u32, DagCborError> {
    assert!(count > 0, "a shard count is at least 1");
    let digest = Sha256::digest(key.to_dag_cbor()?);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    Ok(jump_hash(u64::from_be_bytes(first), count))
}

fn jump_hash(mut key: u64, count: u32) -> u32 {
    let (mut bucket, mut next) = (0, 0i64);
    while next < i64::from(count) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1i64 << 31) as f64 / ((key >> 33) + 1) as f64)) as i64;
    }
    bucket as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_moves_keys_to_new_shards_only() {
        let mut moved = 0;
        for n in 0..10_000u32 {
            let key = Value::from(n);
            let (few, many) = (shard_of(&key, 8).unwrap(), shard_of(&key, 16).unwrap());
            if few != many {
                assert!(many >= 8);
                moved += 1;
            }
        }
        assert!((4_500..5_500).contains(&moved), "{moved} of 10000 keys moved");
    }

    #[test]
    fn shards_are_even() {
        let mut counts = [0u32; 8];
        for n in 0..8_000u32 {
            counts[shard_of(&Value::from(n), 8).unwrap() as usize] += 1;
        }
        assert!(counts.iter().all(|c| (850..1_150).contains(c)), "{counts:?}");
    }

    // published values of the reference implementation
    #[test]
    fn agrees_with_the_paper() {
        assert_eq!([jump_hash(0, 1), jump_hash(0xdead_10cc, 1)], [0, 0]);
        assert_eq!([jump_hash(0xdead_10cc, 666), jump_hash(256, 1024)], [361, 520]);
    }
}
