//! [`EntryLinks`]: what a block would follow, were it an entry.

use crate::{
    Hash, ScanError,
    limits::MAX_LINKS,
    scanner::{Head, Scanner},
};

/// The entries that a block names in its fields `next` and `refs`, be it an entry that is accepted or not:
/// [`Entry::links_of`](crate::Entry::links_of).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryLinks {
    /// Those that it follows.
    pub next: Vec<Hash>,
    /// Those that it refers to besides.
    pub refs: Vec<Hash>,
}

impl EntryLinks {
    pub(super) fn of(bytes: &[u8]) -> EntryLinks {
        let mut links = EntryLinks::default();
        // where the bytes stop to make sense, what was found before them stands
        let _ = links.gather(Scanner::lenient(bytes));
        links
    }

    /// All of them, `next` first.
    pub fn iter(&self) -> impl Iterator<Item = &Hash> {
        self.next.iter().chain(&self.refs)
    }

    fn gather(&mut self, mut walk: Scanner<'_>) -> Result<(), ScanError> {
        for _ in 0..walk.map()? {
            let name = walk.text_bytes()?;
            let head = walk.head()?;
            match (name, head) {
                (b"next", Head::Array(len)) => {
                    let room = MAX_LINKS - self.refs.len();
                    hashes(&mut walk, len, &mut self.next, room)?;
                }
                (b"refs", Head::Array(len)) => {
                    let room = MAX_LINKS - self.next.len();
                    hashes(&mut walk, len, &mut self.refs, room)?;
                }
                _ => walk.skip(head)?,
            }
        }
        Ok(())
    }
}

/// Takes the hashes out of a list of `len` items, until there are `room`.
fn hashes(walk: &mut Scanner<'_>, len: u64, found: &mut Vec<Hash>, room: usize) -> Result<(), ScanError> {
    for _ in 0..len {
        match walk.head()? {
            Head::Text(len) => {
                let text = std::str::from_utf8(walk.take(len)?).unwrap_or_default();
                if let Ok(hash) = text.parse()
                    && found.len() < room
                {
                    found.push(hash);
                }
            }
            other => walk.skip(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use debros_core::{Map, Value};
    use proptest::prelude::*;

    fn hash(n: u64) -> Hash {
        Hash::of(&n.to_be_bytes())
    }
    fn texts(hashes: impl IntoIterator<Item = Hash>) -> Value {
        hashes.into_iter().map(|hash| Value::from(hash.to_string())).collect::<Vec<_>>().into()
    }

    #[test]
    fn links_are_found_among_anything() {
        let mut next = vec![Value::from("zdpu"), Value::Null, Value::from(vec![Value::from(1)])];
        next.push(hash(1).to_string().into());
        let block = Map::from_iter([
            ("next", Value::from(next)),
            ("payload", Value::Map(Map::from_iter([("next", texts([hash(9)]))]))),
            ("refs", texts([hash(2), hash(3)])),
        ]);
        let mut bytes = Value::from(block).to_dag_cbor().unwrap();
        let links = EntryLinks { next: vec![hash(1)], refs: vec![hash(2), hash(3)] };
        assert_eq!(EntryLinks::of(&bytes), links);
        assert!(links.iter().eq(&[hash(1), hash(2), hash(3)]));
        bytes.pop();
        assert_eq!(EntryLinks::of(&bytes), EntryLinks { next: vec![hash(1)], refs: Vec::from_iter([2, 3].map(hash)) });
        bytes[0] = 0xa9;
        assert_eq!(EntryLinks::of(&bytes).next, [hash(1)]);
    }

    #[test]
    fn there_are_only_so_many() {
        let many = |from: u64| texts((from..from + MAX_LINKS as u64).map(hash));
        let block = Map::from_iter([("next", many(0)), ("refs", many(10_000))]);
        let links = EntryLinks::of(&Value::from(block).to_dag_cbor().unwrap());
        assert_eq!((links.next.len(), links.refs.len()), (MAX_LINKS, 0));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let links = EntryLinks::of(&bytes);
            prop_assert!(links.iter().count() <= MAX_LINKS);
        }
    }
}
