use debros_ipfs::{Bytes, CarWriter, Cid};
use ipld_core::{cid::multihash::Multihash, ipld::Ipld};
use sha2::{Digest as _, Sha256};

/// A root block with links to others, all in DAG-CBOR.
#[derive(Debug, Clone)]
pub struct LinkedBlocks {
    /// The root first, then those that it links to.
    pub blocks: Vec<(Cid, Bytes)>,
}

impl LinkedBlocks {
    /// So many leaves of about so many bytes below a root. Another name gives other blocks.
    pub fn new(name: &str, leaves: usize, size: usize) -> LinkedBlocks {
        let mut blocks = Vec::with_capacity(leaves + 1);
        for number in 0..leaves {
            // no two bytes runs are alike, so that nothing can compress or share them
            let seed = Sha256::digest(format!("{name} {number}"));
            let filling: Vec<u8> = (0..size).map(|at| seed[at % 32] ^ (at / 32) as u8).collect();
            let leaf = [("filling", Ipld::Bytes(filling)), ("name", Ipld::String(format!("{name} {number}")))];
            blocks.push(encoded(&Ipld::Map(leaf.map(|(key, value)| (key.to_owned(), value)).into())));
        }
        let links = blocks.iter().map(|(cid, _)| Ipld::Link(*cid)).collect();
        let root = [("links", Ipld::List(links)), ("name", Ipld::String(name.to_owned()))];
        blocks.insert(0, encoded(&Ipld::Map(root.map(|(key, value)| (key.to_owned(), value)).into())));
        LinkedBlocks { blocks }
    }

    /// The root.
    pub fn root(&self) -> Cid {
        self.blocks[0].0
    }

    /// The length of all blocks together.
    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(|(_, data)| data.len() as u64).sum()
    }

    /// The length of the largest block.
    pub fn largest(&self) -> usize {
        self.blocks.iter().map(|(_, data)| data.len()).max().unwrap_or_default()
    }

    /// A CAR file with them.
    pub fn car(&self) -> Bytes {
        self.car_without(&[])
    }

    /// A CAR file without some of them, by their number in `blocks`.
    pub fn car_without(&self, missing: &[usize]) -> Bytes {
        let mut car = CarWriter::new(&[self.root()]);
        for (number, (cid, data)) in self.blocks.iter().enumerate() {
            if !missing.contains(&number) {
                car.block(cid, data);
            }
        }
        car.finish()
    }
}

fn encoded(value: &Ipld) -> (Cid, Bytes) {
    let data = serde_ipld_dagcbor::to_vec(value).expect("it can be encoded");
    let hash = Multihash::wrap(0x12, &Sha256::digest(&data)).expect("32 bytes");
    (Cid::new_v1(0x71, hash), data.into())
}
