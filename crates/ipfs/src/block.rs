use cid::Cid;
use sha2::{Digest, Sha256};

use crate::{BlockError, MAX_BLOCK, gaps, journal_record, store_mark::StoreMark};

/// Multihash code of sha2-256.
pub(crate) const SHA2_256: u64 = 0x12;
/// Multihash code of identity: the "digest" is the content itself.
const IDENTITY: u64 = 0x00;
/// Multicodec code of raw bytes.
#[cfg(test)]
pub(crate) const RAW: u64 = 0x55;

/// What tables of blocks are sorted by: the sha2-256 digest of the multihash, or, of another multihash, the sha2-256
/// of its bytes.
pub(crate) type BlockKey = [u8; 32];

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn block_key(cid: &Cid) -> BlockKey {
    let hash = cid.hash();
    match (hash.code(), hash.digest().try_into()) {
        (SHA2_256, Ok(digest)) => digest,
        _ => sha256(&hash.to_bytes()),
    }
}

/// Whether `data` hashes to `cid`; `None` when the hash function is unknown here.
pub(crate) fn matches(cid: &Cid, data: &[u8]) -> Option<bool> {
    let hash = cid.hash();
    match hash.code() {
        SHA2_256 => Some(hash.digest() == sha256(data)),
        IDENTITY => Some(hash.digest() == data),
        _ => None,
    }
}

/// Whether the store takes this block.
pub(crate) fn check(cid: &Cid, data: &[u8], mark: &StoreMark) -> Result<(), BlockError> {
    if data.len() > MAX_BLOCK {
        return Err(BlockError::TooLarge { cid: Box::new(*cid), len: data.len() });
    }
    if data.starts_with(&journal_record::prefix(mark)) || gaps::is_reserved(data, mark) {
        return Err(BlockError::Reserved { cid: Box::new(*cid) });
    }
    match matches(cid, data) {
        Some(true) => Ok(()),
        Some(false) => Err(BlockError::Mismatch { cid: Box::new(*cid) }),
        None => Err(BlockError::UnknownHash { cid: Box::new(*cid), code: cid.hash().code() }),
    }
}

/// Checks content against the bytes that precede it in a segment, which end with the multihash of its CID when that
/// is a sha2-256 one. Other hashes are left to whoever knows the CID.
pub(crate) fn matches_preceding(preceding: &[u8; 34], data: &[u8]) -> bool {
    preceding[..2] != [0x12, 0x20] || preceding[2..] == sha256(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cid::multihash::Multihash;

    const MARK: StoreMark = StoreMark::from_bytes([3; 16]);

    fn cid(code: u64, codec: u64, digest: &[u8]) -> Cid {
        Cid::new_v1(codec, Multihash::wrap(code, digest).unwrap())
    }

    #[test]
    fn takes_blocks_that_match_and_says_what_is_wrong_with_others() {
        let data = b"some bytes";
        assert_eq!(check(&cid(SHA2_256, 0x71, &sha256(data)), data, &MARK), Ok(()));
        assert_eq!(check(&cid(IDENTITY, RAW, data), data, &MARK), Ok(()));
        let v0 = Cid::new_v0(Multihash::wrap(SHA2_256, &sha256(data)).unwrap()).unwrap();
        assert_eq!(check(&v0, data, &MARK), Ok(()));
        let wrong = cid(SHA2_256, 0x71, &sha256(b"other bytes"));
        assert_eq!(check(&wrong, data, &MARK), Err(BlockError::Mismatch { cid: Box::new(wrong) }));
        let short = cid(SHA2_256, 0x71, &sha256(data)[..20]);
        assert_eq!(check(&short, data, &MARK), Err(BlockError::Mismatch { cid: Box::new(short) }));
        let blake3 = cid(0x1e, 0x71, &[7; 32]);
        assert_eq!(check(&blake3, data, &MARK), Err(BlockError::UnknownHash { cid: Box::new(blake3), code: 0x1e }));
        let large = vec![0; MAX_BLOCK + 1];
        let large_cid = cid(SHA2_256, RAW, &sha256(&large));
        assert!(matches!(check(&large_cid, &large, &MARK), Err(BlockError::TooLarge { .. })));
    }

    #[test]
    fn a_block_that_begins_like_a_record_of_this_store_is_reserved() {
        let data = [journal_record::prefix(&MARK).as_slice(), b"anything"].concat();
        let raw = cid(SHA2_256, RAW, &sha256(&data));
        assert_eq!(check(&raw, &data, &MARK), Err(BlockError::Reserved { cid: Box::new(raw) }));
        let other = cid(SHA2_256, 0x71, &sha256(&data));
        assert_eq!(check(&other, &data, &MARK), Err(BlockError::Reserved { cid: Box::new(other) }));
        assert_eq!(check(&raw, &data, &StoreMark::from_bytes([4; 16])), Ok(()));
    }

    #[test]
    fn the_key_is_the_digest_whatever_the_codec_and_version() {
        let digest = sha256(b"x");
        assert_eq!(block_key(&cid(SHA2_256, 0x71, &digest)), digest);
        assert_eq!(block_key(&cid(SHA2_256, RAW, &digest)), digest);
        assert_ne!(block_key(&cid(IDENTITY, RAW, &digest)), digest);
    }
}
