use bytes::Bytes;
use cid::Cid;

use crate::{car::push_section, cbor_head::push_head, varint::push_varint};

/// Writes a CARv1 file into memory: a header that names roots, and then blocks, each framed with its CID.
///
/// Format: <https://ipld.io/specs/transport/car/carv1/>.
///
/// ```
/// use debros_ipfs::{CarWriter, Cid};
///
/// let cid: Cid = "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae".parse()?;
/// let mut car = CarWriter::new(&[cid]);
/// car.block(&cid, &[0xa0]);
/// assert_eq!(car.block_count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CarWriter {
    bytes: Vec<u8>,
    blocks: u64,
}

impl CarWriter {
    /// A file with these roots, and no blocks yet.
    pub fn new(roots: &[Cid]) -> CarWriter {
        let mut header = vec![0xa2, 0x65];
        header.extend_from_slice(b"roots");
        push_head(&mut header, 0x80, roots.len());
        for root in roots {
            let cid = root.to_bytes();
            header.extend_from_slice(&[0xd8, 0x2a]);
            push_head(&mut header, 0x40, cid.len() + 1);
            header.push(0);
            header.extend_from_slice(&cid);
        }
        header.extend_from_slice(b"\x67version\x01");
        let mut bytes = Vec::with_capacity(header.len() + 2);
        push_varint(&mut bytes, header.len() as u32);
        bytes.extend_from_slice(&header);
        CarWriter { bytes, blocks: 0 }
    }

    /// Blocks without a header, to go behind what another writer made.
    pub fn blocks_only() -> CarWriter {
        CarWriter { bytes: Vec::new(), blocks: 0 }
    }

    /// Adds a block.
    pub fn block(&mut self, cid: &Cid, data: &[u8]) {
        push_section(&mut self.bytes, &cid.to_bytes(), data);
        self.blocks += 1;
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> u64 {
        self.blocks
    }

    /// The file.
    pub fn finish(self) -> Bytes {
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{block::sha256, varint::read_varint};
    use ciborium::Value;
    use cid::multihash::Multihash;

    #[test]
    fn a_car_has_its_roots_and_blocks() {
        let cid = |data: &[u8]| Cid::new_v1(0x71, Multihash::wrap(0x12, &sha256(data)).unwrap());
        for count in [0, 1, 23, 24, 300] {
            let roots: Vec<Cid> = (0..count as u32).map(|n| cid(&n.to_be_bytes())).collect();
            let mut car = CarWriter::new(&roots);
            car.block(&cid(b"x"), &[7; 200]);
            assert_eq!(car.block_count(), 1);
            let bytes = car.finish();
            let (len, at) = read_varint(&bytes).unwrap();
            let (header, rest) = bytes[at..].split_at(len as usize);
            let header: Value = ciborium::from_reader(header).unwrap();
            let map = header.into_map().unwrap();
            assert_eq!(map[0].1.as_array().unwrap().len(), count);
            if let Some(first) = map[0].1.as_array().unwrap().first() {
                let (tag, bytes) = first.as_tag().unwrap();
                assert_eq!((tag, &bytes.as_bytes().unwrap()[1..]), (42, &roots[0].to_bytes()[..]));
            }
            let (len, at) = read_varint(rest).unwrap();
            assert_eq!(rest.len(), at + len as usize);
            assert_eq!(&rest[at..at + 36], cid(b"x").to_bytes());
        }
    }
}
