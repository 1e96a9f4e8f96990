//! [`Mutation`]: bytes that are almost what they should be.

/// Makes bytes that are almost what they should be, out of a corpus. A seed repeats it.
pub struct Mutation {
    corpus: Vec<Vec<u8>>,
    random: u64,
}

/// What lengths and numbers like to go wrong at.
const EDGES: [u8; 12] = [0x00, 0x17, 0x18, 0x19, 0x1b, 0x5a, 0x7f, 0x80, 0x9b, 0xbb, 0xf9, 0xff];

impl Mutation {
    /// Of these.
    pub fn of(corpus: Vec<Vec<u8>>, seed: u64) -> Mutation {
        assert!(!corpus.is_empty(), "there is something to change");
        Mutation { corpus, random: seed ^ 0x9e37_79b9_7f4a_7c15 }
    }

    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % n.max(1)
    }

    fn pick(&mut self) -> Vec<u8> {
        let at = self.below(self.corpus.len());
        self.corpus[at].clone()
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let most = if self.below(4) == 0 { 64 } else { 4 };
        let len = 1 + self.below(most);
        let end = (at + len).min(bytes.len());
        match self.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let twice = bytes[at..end].to_vec();
                bytes.splice(at..at, twice);
            }
            3 => {
                let other = self.pick();
                let from = self.below(other.len());
                let to = (from + len * 4).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
            4 => bytes.insert(at, EDGES[self.below(EDGES.len())]),
            _ if at == bytes.len() => bytes.push(self.below(256) as u8),
            5 => bytes[at] ^= 1 << self.below(8),
            6 => bytes[at] = EDGES[self.below(EDGES.len())],
            _ => bytes[at] = bytes[at].wrapping_add(if self.below(2) == 0 { 1 } else { 0xff }),
        }
    }
}

impl Iterator for Mutation {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.pick();
        // some are left as they are
        for _ in 0..self.below(5) {
            self.change(&mut bytes);
        }
        Some(bytes)
    }
}
