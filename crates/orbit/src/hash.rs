//! [`Hash`]: the name of a block, as OrbitDB writes it.

use cid::{Cid, multihash::Multihash};
use debros_core::{DAG_CBOR, SHA2_256};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// The name of a DAG-CBOR block: the SHA2-256 digest of its bytes. As text its CID in base58btc, `zdpu…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// The codec of bytes that mean nothing.
#[cfg(feature = "kubo")]
const RAW: u64 = 0x55;

/// What every CID of ours begins with: version 1, DAG-CBOR, SHA2-256, 32 bytes.
const PREFIX: [u8; 4] = [0x01, 0x71, 0x12, 0x20];

impl Hash {
    /// The name of this block.
    pub fn of(block: &[u8]) -> Hash {
        Hash(Sha256::digest(block).into())
    }

    /// The name with this digest.
    pub const fn from_digest(digest: [u8; 32]) -> Hash {
        Hash(digest)
    }

    /// The digest.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.0
    }

    /// The CID: version 1, codec DAG-CBOR.
    pub fn cid(&self) -> Cid {
        Cid::new_v1(DAG_CBOR, Multihash::wrap(SHA2_256, &self.0).expect("a SHA2-256 digest fits a multihash"))
    }

    /// The same block by the CID of codec raw, as bytes that nobody looks into. Who stores blocks by their multihash, as Kubo does, holds
    /// it under both names.
    #[cfg(feature = "kubo")]
    pub(crate) fn raw_cid(&self) -> Cid {
        Cid::new_v1(RAW, *self.cid().hash())
    }

    /// The name of the block with this CID, be its codec DAG-CBOR or raw.
    #[cfg(feature = "kubo")]
    pub(crate) fn from_either_cid(cid: &Cid) -> Option<Hash> {
        if cid.codec() == RAW { Hash::from_cid(&Cid::new_v1(DAG_CBOR, *cid.hash())) } else { Hash::from_cid(cid) }
    }

    /// The name of the block with this CID; `None` if it is not one of version 1, DAG-CBOR and SHA2-256.
    pub fn from_cid(cid: &Cid) -> Option<Hash> {
        let ours = *cid == Cid::new_v1(DAG_CBOR, *cid.hash()) && cid.hash().code() == SHA2_256;
        if ours { cid.hash().digest().try_into().ok().map(Hash) } else { None }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 36];
        bytes[..4].copy_from_slice(&PREFIX);
        bytes[4..].copy_from_slice(&self.0);
        write!(f, "z{}", bs58::encode(bytes).into_string())
    }
}
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no [hash](struct@Hash).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no hash: expected the CID of a DAG-CBOR block in base58btc, `zdpu…`")]
pub struct NotAHash(pub String);

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Hash, NotAHash> {
        let parse = || {
            // longer texts are refused before they are decoded: decoding takes time in the square of the length
            let digits = text.strip_prefix('z').filter(|digits| digits.len() <= 50)?;
            let mut bytes = [0; 36];
            if bs58::decode(digits).onto(&mut bytes).ok()? != bytes.len() || bytes[..4] != PREFIX {
                return None;
            }
            bytes[4..].try_into().ok().map(Hash)
        };
        parse().ok_or_else(|| NotAHash(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_cid_name_the_same_block() {
        let hash = Hash::of(b"\xf6");
        assert_eq!(hash.to_string(), "zdpuAxKCBsAKQpEw456S49oVDkWJ9PZa44KGRfVBWHiXN3UH8");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.cid().to_string(), "bafyreifqwkmiw256ojf2zws6tzjeonw6bpd5vza4i22ccpcq4hjv2ts7cm");
        assert_eq!(Hash::from_cid(&hash.cid()), Some(hash));
    }

    #[test]
    fn other_texts_are_refused() {
        let good = Hash::of(b"x").to_string();
        for bad in
            ["", "z", "zdpu", &good[1..], &good[..good.len() - 1], &format!("{good}1"), &format!("z1{}", &good[1..])]
        {
            assert!(bad.parse::<Hash>().is_err(), "{bad}");
        }
        assert!("Qm".repeat(10_000).parse::<Hash>().is_err());
        let other_codec = Cid::new_v1(0x55, *Hash::of(b"x").cid().hash());
        assert_eq!(Hash::from_cid(&other_codec), None);
    }
}
